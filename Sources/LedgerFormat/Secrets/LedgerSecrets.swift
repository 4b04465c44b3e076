import LedgerProofs

/// The secrets of a ledger, each valid from its first seqno until the next one begins.
public struct LedgerSecrets: Sendable {
    private var list: [(first: SequenceNumber, secret: LedgerSecret)]

    /// No secrets: private domains stay closed.
    public static let none = LedgerSecrets([])

    /// One secret for the whole ledger.
    public init(_ secret: LedgerSecret) { list = [(SequenceNumber(1), secret)] }

    /// Secrets with the seqno from which each is valid, in any order.
    public init(_ secrets: [(first: SequenceNumber, secret: LedgerSecret)]) {
        list = secrets.sorted { $0.first < $1.first }
    }

    public var isEmpty: Bool { list.isEmpty }

    /// The secret in force at `seqno`, or `nil` when it is not known.
    public func secret(at seqno: SequenceNumber) -> LedgerSecret? {
        list.last { $0.first <= seqno }?.secret
    }
}
