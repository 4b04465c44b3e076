/// What a database says about the ledger that it holds.
public struct EvidenceIdentity: Sendable, Hashable {
    /// The one format that this version reads and writes (Documentation/spec/sqlite-ledger.md).
    public static let knownFormat: Int64 = 2

    /// `nil` when the stored identity is none.
    public var ledger: LedgerID?
    /// The number of the format in which the ledger is stored.
    public var format: Int64
    public var databaseName: String
    public var allTables: Bool
    /// When the ledger was made, as it says.
    public var createTime: CommitTime?

    public init(ledger: LedgerID?, format: Int64, databaseName: String, allTables: Bool, createTime: CommitTime? = nil)
    {
        self.ledger = ledger
        self.format = format
        self.databaseName = databaseName
        self.allTables = allTables
        self.createTime = createTime
    }
}
