/// What a database says about the ledger that it holds.
public struct EvidenceIdentity: Sendable, Hashable {
    /// `nil` when the stored identity is none.
    public var ledger: LedgerID?
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
