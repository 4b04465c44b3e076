import LedgerProofs

/// One transaction of the ledger: who changed which tables, and when.
///
/// Documentation/spec/sql-transaction.md
public struct TransactionEntry: Hashable, Sendable {
    public var ledger: LedgerID
    public var id: TransactionNumber
    public var commitTime: CommitTime
    /// On whose behalf.
    public var principal: String
    /// As whom the connection or process was authenticated.
    public var login: String
    /// Through which program.
    public var application: String
    public var tableHashes: TableHashes

    public init(
        ledger: LedgerID, id: TransactionNumber, commitTime: CommitTime, principal: String, login: String,
        application: String, tableHashes: TableHashes
    ) {
        self.ledger = ledger
        self.id = id
        self.commitTime = commitTime
        self.principal = principal
        self.login = login
        self.application = application
        self.tableHashes = tableHashes
    }

    /// The leaf hash of the transaction in its block's tree.
    public var leaf: Digest32 {
        var writer = ByteWriter(capacity: 128 + principal.utf8.count + 64 * tableHashes.tables.count)
        writer.append(tag: "indelible/tx/1", width: 16)
        writer.append(bytes: ledger.bytes)
        writer.append(id.rawValue)
        writer.append(bytes: commitTime.utf8)
        writer.append(text: principal)
        writer.append(text: login)
        writer.append(text: application)
        let hashes = tableHashes.encoded()
        writer.append(UInt32(hashes.count))
        writer.append(bytes: hashes)
        return MerkleRule.prefixedLeaf(writer.bytes)
    }

    /// The checks of commit time, principal, login, application and table hashes, as if they were values of a row: kept
    /// beside the leaf when a block closes, so that an altered entry's member can be named.
    ///
    /// Documentation/spec/sql-leaf-chunk.md, "Transaction chunks"
    public var columnChecks: [UInt16] {
        var encoder = RowLeafEncoder(collectsChecks: true)
        encoder.append(.text(commitTime.utf8))
        encoder.append(.text(principal))
        encoder.append(.text(login))
        encoder.append(.text(application))
        encoder.append(.blob(tableHashes.encoded()))
        return encoder.columnChecks
    }
}
