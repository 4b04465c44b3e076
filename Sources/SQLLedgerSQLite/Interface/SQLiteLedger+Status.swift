import SQLLedger

extension SQLiteLedger {
    /// The state of a ledger at a moment.
    public struct Status: Sendable, Equatable {
        public var ledger: LedgerID
        public var databaseName: String
        public var createTime: String
        /// Every table is a ledger table.
        public var allTables: Bool
        public var transactionCount: UInt64
        public var blockCount: UInt64
        /// Transactions that are in no closed block yet.
        public var openTransactionCount: UInt64
        public var lastTransactionTime: String?
        public var tables: [Table]
        public var digestLocations: [DigestLocation]
    }

    /// One ledger table.
    public struct Table: Sendable, Equatable {
        public var id: TableID
        public var name: String
        public var view: String
        public var kind: TableKind
        public var isDropped: Bool
    }

    /// Reads the state. Throws when the database has no ledger.
    public func status() throws(SQLiteLedgerError) -> Status {
        guard try isInitialised else {
            throw .refused("the database has no ledger; make one with SELECT ledger_init()")
        }
        let identity = try connection.prepare(
            "SELECT ledger_id, database_name, create_time, all_tables, format FROM main.ledger_identity WHERE id = 1")
        guard try identity.step(), let ledger = LedgerID(identity.bytes(0)) else {
            throw .refused("the ledger's identity is damaged")
        }
        try LedgerConnection.checkFormat(identity.integer(4))
        let counts = try connection.prepare(
            """
            SELECT (SELECT coalesce(max(transaction_id), 0) FROM main.database_ledger_transactions),
              (SELECT count(*) FROM main.database_ledger_blocks),
              (SELECT coalesce(max(first_transaction_id + block_size - 1), 0) FROM main.database_ledger_blocks),
              (SELECT commit_time FROM main.database_ledger_transactions ORDER BY transaction_id DESC LIMIT 1)
            """)
        _ = try counts.step()
        var status = Status(
            ledger: ledger, databaseName: identity.text(1), createTime: identity.text(2),
            allTables: identity.integer(3) != 0, transactionCount: UInt64(clamping: counts.integer(0)),
            blockCount: UInt64(clamping: counts.integer(1)),
            openTransactionCount: UInt64(clamping: counts.integer(0) &- counts.integer(2)),
            lastTransactionTime: counts.optionalText(3), tables: [], digestLocations: [])
        let tables = try connection.prepare(
            "SELECT table_id, name, view, kind, is_dropped FROM main.ledger_tables ORDER BY table_id")
        while try tables.step() {
            status.tables.append(
                Table(
                    id: TableID(UInt64(bitPattern: tables.integer(0))), name: tables.text(1), view: tables.text(2),
                    kind: TableKind(rawValue: tables.text(3)) ?? .updatable, isDropped: tables.integer(4) != 0))
        }
        let locations = try connection.prepare(
            "SELECT path, last_digest_block_id, is_current FROM main.database_ledger_digest_locations ORDER BY path")
        while try locations.step() {
            status.digestLocations.append(
                DigestLocation(
                    path: locations.text(0),
                    lastBlock: locations.isNull(1) ? nil : BlockID(UInt64(bitPattern: locations.integer(1))),
                    isCurrent: locations.integer(2) != 0))
        }
        return status
    }

    /// Remembers that the digest of `block` was stored at `path`, unless a newer one was. Changes no block and no
    /// transaction.
    public func recordUpload(of block: BlockID, to path: String) throws(SQLiteLedgerError) {
        try recordUpload(of: block, to: path, isCurrent: true)
    }

    /// Says how far uploads to `path` are (`nil`: nothing is known to be there), and whether digests go there from now on.
    /// What is known already of newer blocks stays, as long as the ledger has them.
    public func recordUpload(of block: BlockID?, to path: String, isCurrent: Bool) throws(SQLiteLedgerError) {
        try connection.run(
            "SELECT ledger_record_upload(?, ?, ?)",
            [
                .text(path), block.map { .integer(Int64(bitPattern: $0.rawValue)) } ?? .null,
                .integer(isCurrent ? 1 : 0),
            ])
    }

    /// Makes `paths` the places where digests go from now on; other places become former ones.
    public func setDigestLocations(_ paths: [String]) throws(SQLiteLedgerError) {
        try connection.execute("SAVEPOINT ledger_locations")
        do throws(SQLiteLedgerError) {
            let known = try connection.query(
                "SELECT path, last_digest_block_id FROM main.database_ledger_digest_locations")
            for row in known {
                try connection.run("SELECT ledger_record_upload(?, ?, 0)", row)
            }
            for path in paths {
                let last = known.first { $0[0].string == path }?[1] ?? .null
                try connection.run("SELECT ledger_record_upload(?, ?, 1)", [.text(path), last])
            }
            try connection.execute("RELEASE ledger_locations")
        } catch {
            try? connection.execute("ROLLBACK TO ledger_locations; RELEASE ledger_locations")
            throw error
        }
    }
}
