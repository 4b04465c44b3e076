/// The transactions that no digest from outside covers yet.
public struct VerificationTail: Sendable, Hashable {
    public var transactions: UInt64

    /// From the last covered transaction (or the first one at all) to the newest.
    public var seconds: Double

    public init(transactions: UInt64, seconds: Double) {
        self.transactions = transactions
        self.seconds = seconds
    }
}
