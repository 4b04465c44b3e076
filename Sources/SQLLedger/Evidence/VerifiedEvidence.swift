import LedgerProofs

/// What a bundle proves. Only `EvidenceVerifier` makes one.
public struct VerifiedEvidence: Hashable, Sendable {
    /// One row operation that the ledger held.
    public struct Row: Hashable, Sendable {
        public let row: EvidenceRow
        /// The transaction of the schema event that proves the name of the table as of then, if the bundle has one.
        public let tableNameProvenBy: TransactionNumber?
    }

    public let database: EvidenceBundle.Database?
    public let rows: [Row]
    public let entries: [DigestEntry]
    /// The digests on which the rows rest, with the entries that hold them.
    public let digests: [EvidenceDigest]

    init(database: EvidenceBundle.Database?, rows: [Row], entries: [DigestEntry], digests: [EvidenceDigest]) {
        self.database = database
        self.rows = rows
        self.entries = entries
        self.digests = digests
    }

    /// What is proven, without the proofs; members as in bundles.
    var jsonValue: JSONValue {
        .object([
            "database": database.map {
                .object(["database_name": .string($0.name), "ledger_id": .string($0.ledger.hex)])
            } ?? .null,
            "digests": .array(
                digests.map { evidence in
                    .object([
                        "block_id": .integer(evidence.digest.block.rawValue),
                        "digest_time": .string(evidence.digest.digestTime.description),
                        "entry": evidence.anchor?.entry.jsonValue ?? .null,
                        "hash": .string(evidence.digest.hash.hex),
                    ])
                }),
            "entries": .array(entries.map(\.jsonValue)), "rows": .array(rows.map(\.jsonValue)),
        ])
    }
}

extension VerifiedEvidence.Row {
    fileprivate var jsonValue: JSONValue {
        let values = zip(row.schema.storedColumns, row.values).map { column, value in
            JSONValue.object(["column": .string(column.name), "value": value.evidenceJSON])
        }
        return .object([
            "application": .string(row.transaction.application),
            "commit_time": .string(row.transaction.commitTime.description), "login": .string(row.transaction.login),
            "operation": .string(row.operation == .created ? "created" : "ended"),
            "principal": .string(row.transaction.principal), "sequence_number": .integer(row.sequence.rawValue),
            "table": .string(row.tableName), "table_id": .integer(row.schema.table.rawValue),
            "table_name_proven_by": tableNameProvenBy.map { .integer($0.rawValue) } ?? .null,
            "transaction_id": .integer(row.transaction.id.rawValue), "values": .array(values),
        ])
    }
}
