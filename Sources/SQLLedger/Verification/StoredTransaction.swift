import LedgerProofs

/// A transaction entry as it is stored: nothing about it is known to be right.
public struct StoredTransaction: Sendable, Hashable {
    /// As stored, which may be no number of a transaction at all.
    public var id: Int64
    public var block: Int64?
    public var ordinal: Int64?
    public var commitTime: String?
    public var principal: String?
    public var login: String?
    public var application: String?
    public var tableHashes: [UInt8]?
    /// The last leaf chunks, where the entry keeps them. No part of the entry.
    public var leaves: [UInt8]?

    public init(
        id: Int64, block: Int64?, ordinal: Int64?, commitTime: String?, principal: String?, login: String?,
        application: String?, tableHashes: [UInt8]?, leaves: [UInt8]? = nil
    ) {
        self.id = id
        self.block = block
        self.ordinal = ordinal
        self.commitTime = commitTime
        self.principal = principal
        self.login = login
        self.application = application
        self.tableHashes = tableHashes
        self.leaves = leaves
    }

    /// The entry, or the names of the fields that hold no value of their kind.
    package func entry(of ledger: LedgerID) -> (entry: TransactionEntry?, unreadable: [String]) {
        let time = commitTime.flatMap { CommitTime($0) }
        let hashes = tableHashes.flatMap { try? TableHashes(decoding: $0) }
        var unreadable: [String] = []
        if time == nil { unreadable.append("commit_time") }
        if principal == nil { unreadable.append("principal_name") }
        if login == nil { unreadable.append("login_name") }
        if application == nil { unreadable.append("application_name") }
        if hashes == nil { unreadable.append("table_hashes") }
        guard let time, let principal, let login, let application, let hashes, id > 0 else { return (nil, unreadable) }
        let entry = TransactionEntry(
            ledger: ledger, id: TransactionNumber(UInt64(id)), commitTime: time, principal: principal, login: login,
            application: application, tableHashes: hashes)
        return (entry, [])
    }
}
