/// A transaction id, written `view.seqno`, for example `2.15`. Ordered by sequence number first.
public struct TransactionID: Hashable, Comparable, Sendable {
    public var view: View
    public var seqno: SequenceNumber

    public init(view: View, seqno: SequenceNumber) {
        self.view = view
        self.seqno = seqno
    }

    /// Reads `view.seqno`: two non-zero decimal numbers and exactly one dot, without signs or spaces.
    /// Returns `nil` for anything else, and for numbers out of range.
    public init?(_ text: some StringProtocol) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2,
            let view = Self.decimal(parts[0]), view > 0, view < 1 << 31,
            let seqno = Self.decimal(parts[1]), seqno > 0
        else { return nil }
        self.init(view: View(UInt32(view)), seqno: SequenceNumber(seqno))
    }

    private static func decimal(_ digits: some Collection<UInt8>) -> UInt64? {
        guard !digits.isEmpty, digits.count <= 20 else { return nil }
        var value: UInt64 = 0
        for c in digits {
            guard c >= UInt8(ascii: "0"), c <= UInt8(ascii: "9") else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(c - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    public static func < (a: TransactionID, b: TransactionID) -> Bool {
        (a.seqno, a.view) < (b.seqno, b.view)
    }
}

extension TransactionID: CustomStringConvertible {
    public var description: String { String(view.rawValue) + "." + String(seqno.rawValue) }
}
