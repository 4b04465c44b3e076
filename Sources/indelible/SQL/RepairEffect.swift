import SQLLedger
import SQLLedgerSQLite

/// What a repair may change, and what it did. Triggers of the user's fire for repairs as for any change, and conflict clauses
/// replace rows: neither may put anything right, or wrong, that nobody asked for.
struct RepairEffect {
    /// The newest transaction before the repair.
    private let last: Int64
    /// By table, the row versions that shall end, and the most that shall begin and stay.
    private var ended: [String: Int64] = [:]
    private var begun: [String: Int64] = [:]
    /// By table, the keys of rows to be repaired, and the tables in which one row is repaired more than once: the versions in between
    /// do not stay.
    private var keys: [String: Set<[NamedValue]>] = [:]
    private var repeated: Set<String> = []

    init(_ session: SQLSession) throws {
        last =
            try session.value("SELECT coalesce(max(transaction_id), 0) FROM database_ledger_transactions")?.integer ?? 0
    }

    /// One row more will have been repaired.
    mutating func expect(_ proposal: RepairProposal) {
        if !keys[proposal.table, default: []].insert(proposal.key).inserted { repeated.insert(proposal.table) }
        switch proposal.action {
        case .update:
            ended[proposal.table, default: 0] += 1
            begun[proposal.table, default: 0] += 1
        case .insert: begun[proposal.table, default: 0] += 1
        case .delete: ended[proposal.table, default: 0] += 1
        default: break
        }
    }

    /// To be called in the repair's transaction. Reads the history and the stamps of all ledger tables once.
    /// - Throws: `Failure` when more or other rows were changed than shall be.
    func check(_ session: SQLSession) throws {
        for row in try session.rows("SELECT table_id, name FROM ledger_tables WHERE NOT is_dropped ORDER BY table_id") {
            guard let id = row[0].integer else { continue }
            let table = row[1].shown
            let hasEnded = try count("ledger_history_\(id) WHERE ledger_end_transaction_id > ?", session)
            let hasBegun = try count("ledger_stamps_\(id) WHERE transaction_id > ?", session)
            let waiting = try session.value(
                "SELECT count(DISTINCT sequence_number) FROM ledger_pending WHERE table_id = ?", [.integer(id)])
            let (shallEnd, mayBegin) = (ended[table] ?? 0, begun[table] ?? 0)
            guard hasEnded + (waiting?.integer ?? 0) == shallEnd,
                repeated.contains(table) ? hasBegun <= mayBegin : hasBegun == mayBegin
            else {
                throw Failure(
                    "\(table): the repair would end \(hasEnded) row versions and begin \(hasBegun), not \(shallEnd) and "
                        + "\(mayBegin)\(try Self.triggers(of: table, session)); repair the rows by hand, nothing was changed"
                )
            }
        }
    }

    private func count(_ what: String, _ session: SQLSession) throws -> Int64 {
        try session.value("SELECT count(*) FROM \(what)", [.integer(last)])?.integer ?? 0
    }

    /// The user's triggers of a table in words, or nothing.
    static func triggers(of table: String, _ session: SQLSession) throws -> String {
        let names = try session.rows(
            """
            SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY name
            """, [.text(table)]
        ).map { $0[0].shown }.filter { !SQLName.isReservedTrigger($0) }
        return names.isEmpty ? "" : " (the table's own triggers fire: \(names.joined(separator: ", ")))"
    }
}
