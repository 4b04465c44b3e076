/// A ledger directory that cannot be shown.
public struct LedgerInspectionError: Error, Hashable, Sendable, CustomStringConvertible {
    public var file: String?
    public var offset: UInt64?
    public var reason: String

    init(file: String?, offset: UInt64? = nil, reason: String) {
        self.file = file
        self.offset = offset
        self.reason = reason
    }

    public var description: String {
        (file.map { "\($0)\(offset.map { " at byte \($0)" } ?? ""): " } ?? "") + reason
    }
}
