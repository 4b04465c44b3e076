/// What a database says about the ledger that it holds.
public struct EvidenceIdentity: Sendable, Hashable {
    /// The one format that this version reads and writes (Documentation/spec/sqlite-ledger.md).
    public static let knownFormat: Int64 = 2

    /// Why a ledger of that format can be neither read nor written; `nil` when it can.
    public static func fault(ofFormat format: Int64) -> String? {
        guard format != knownFormat else { return nil }
        return """
            the ledger is stored in format \(format), and this version knows only format \(knownFormat): use the version \
            that made the database, or make it anew
            """
    }

    /// `nil` when the stored identity is none.
    public var ledger: LedgerID?
    /// The number of the format in which the ledger is stored.
    public var format: Int64
    public var databaseName: String
    /// `nil` when it says neither.
    public var allTables: Bool?
    /// When the ledger was made, as it says. Nothing proves it: no leaf, block or digest holds it.
    public var createTime: CommitTime?
    /// Columns that hold no value of their kind, by name.
    public var unreadable: [String]

    public init(
        ledger: LedgerID?, format: Int64, databaseName: String, allTables: Bool?, createTime: CommitTime? = nil,
        unreadable: [String] = []
    ) {
        self.ledger = ledger
        self.format = format
        self.databaseName = databaseName
        self.allTables = allTables
        self.createTime = createTime
        self.unreadable = unreadable
    }
}
