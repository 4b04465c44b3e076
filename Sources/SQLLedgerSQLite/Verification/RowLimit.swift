import SQLLedger

/// Ends a pass over rows when there are more than the file has room for: pages that lead back to themselves.
struct RowLimit {
    private var left: Int64
    private let object: String

    init(_ limit: Int64, _ object: String) {
        left = limit
        self.object = object
    }

    @inline(__always)
    mutating func count() throws {
        left -= 1
        guard left >= 0 else {
            throw VerificationError(
                object: object,
                reason: "it has more rows than the file has room for: the file is damaged or was altered")
        }
    }
}
