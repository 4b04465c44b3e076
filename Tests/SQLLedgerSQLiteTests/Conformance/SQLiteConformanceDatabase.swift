import Foundation
import LedgerProofs
import SQLLedger
import SQLLedgerConformance
import SQLLedgerGRDB
import SQLLedgerSQLite

/// A ledger in an SQLite file, for the engine's conformance suite.
final class SQLiteConformanceDatabase: ConformanceDatabase {
    private let test: TestDatabase
    private let ledger: SQLiteLedger
    /// What the engine does wrong.
    private let fault: EngineFault?
    private let tampers: Bool
    private var firstDigest: LedgerDigest?

    private var db: SQLiteConnection { ledger.connection }

    init(fault: EngineFault? = nil, tampers: Bool = true) throws {
        self.fault = fault
        self.tampers = tampers
        test = try TestDatabase()
        ledger = try LinkedSQLite.open(path: test.path, creates: true, principal: "owner", application: "conformance")
        try ledger.connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF")
        try ledger.initialise()
    }

    // MARK: The application's way

    func create(_ table: ConformanceTable) throws {
        // Both kinds of tables: with row ids, and without.
        let isRowID = table.key.count == 1
        let types: [ConformanceTable.Kind: String] = [
            .integer: "INTEGER", .real: "REAL", .text: "TEXT", .bytes: "BLOB",
        ]
        var lines = table.columns.map { column in
            "\(column.name) \(types[column.kind] ?? "")\(isRowID && table.key == [column.name] ? " PRIMARY KEY" : "")"
        }
        if !isRowID { lines.append("PRIMARY KEY(\(table.key.joined(separator: ", ")))") }
        try db.execute(
            "CREATE TABLE \(table.name)(\(lines.joined(separator: ", ")))\(isRowID ? "" : " WITHOUT ROWID")")
        try ledger.enable(table: table.name, kind: fault == .appendOnlyForgotten ? .updatable : table.kind)
    }

    func transaction(principal: String, commits: Bool, _ changes: [RowChange]) throws {
        try ledger.setPrincipal(principal)
        try db.execute("BEGIN IMMEDIATE")
        do {
            for change in changes { try run(change) }
            try db.execute(commits || fault == .rollbackCommits ? "COMMIT" : "ROLLBACK")
        } catch {
            try? db.execute("ROLLBACK")
            throw error
        }
    }

    private func run(_ change: RowChange) throws {
        switch change {
        case .insert(let table, let row):
            try db.run(
                """
                INSERT INTO \(table)(\(row.map(\.name).joined(separator: ", ")))
                VALUES (\(row.map { _ in "?" }.joined(separator: ", ")))
                """, row.map(\.value))
        case .update(let table, let key, let set):
            try db.run(
                "UPDATE \(table) SET \(set.map { "\($0.name) = ?" }.joined(separator: ", ")) WHERE \(Self.filter(key))",
                (set + key).map(\.value))
        case .delete(let table, let key):
            try db.run("DELETE FROM \(table) WHERE \(Self.filter(key))", key.map(\.value))
        }
    }

    func change(_ change: SchemaChange) throws {
        switch change {
        case .addColumn(let table, let column): try db.execute("ALTER TABLE \(table) ADD COLUMN \(column.name)")
        case .renameColumn(let table, let from, let to):
            try db.execute("ALTER TABLE \(table) RENAME COLUMN \(from) TO \(to)")
        case .dropTable(let table): try ledger.drop(table: table)
        }
        try ledger.refresh()
    }

    func closeBlock() throws -> LedgerDigest? {
        let digest = try ledger.closeBlock()
        if firstDigest == nil { firstDigest = digest }
        return fault == .digestsRepeat ? firstDigest : digest
    }

    func openEvidence() throws -> any LedgerEvidence {
        let evidence = try SQLiteEvidence.open(path: test.path)
        return fault.map { FaultyEvidence(evidence, $0) } ?? evidence
    }

    func exportRow(table: String, key: [NamedValue], digests: [LedgerDigest]) throws -> EvidenceBundle {
        let exporter = try EvidenceExporter(db)
        var rows = try exporter.rows(table: table, key: key.map { ($0.name, [$0.value]) }, versions: .all)
        if fault == .neighbourExported {
            rows += try exporter.rows(table: table, key: [("id", [.integer(299)])], versions: .all)
        }
        let stored = digests.map { StoredDigest(digest: $0, origin: "conformance", entry: nil, receipt: .none) }
        let (blocks, used) = try exporter.cover(rows, with: stored)
        return EvidenceBundle(
            database: EvidenceBundle.Database(ledger: exporter.ledger, name: exporter.databaseName),
            items: rows.map { .row($0) }, blocks: blocks, digests: used)
    }

    func historyObject(of table: String) throws -> String { "ledger_history_\(try number(of: table))" }

    // MARK: The attacker's way

    func tamper(_ tampering: Tampering) throws {
        guard tampers else { return }
        switch tampering {
        case .liveCell(let table, let key, let cell):
            try attack(
                "UPDATE \(table) SET \(cell.name) = ? WHERE \(Self.filter(key))", [cell.value] + key.map(\.value))
        case .liveRowDeleted(let table, let key):
            try attack("DELETE FROM \(table) WHERE \(Self.filter(key))", key.map(\.value))
            try attack("DELETE FROM ledger_stamps_\(try number(of: table)) WHERE row_id = ?", key.map(\.value))
        case .liveRowInserted(let table, let row, let other):
            try attack(
                """
                INSERT INTO \(table)(\(row.map(\.name).joined(separator: ", ")))
                VALUES (\(row.map { _ in "?" }.joined(separator: ", ")))
                """, row.map(\.value))
            let stamps = "ledger_stamps_\(try number(of: table))"
            try attack(
                "INSERT INTO \(stamps) SELECT ?, transaction_id, sequence_number FROM \(stamps) WHERE row_id = ?",
                [row[0].value, other[0].value])
        case .historyCell(let table, let key, let cell):
            try attack(
                "UPDATE \(try historyObject(of: table)) SET \(cell.name) = ? WHERE \(Self.filter(key))",
                [cell.value] + key.map(\.value))
        case .historyRowDeleted(let table, let key):
            try attack("DELETE FROM \(try historyObject(of: table)) WHERE \(Self.filter(key))", key.map(\.value))
        case .historyRowDuplicated(let table, let key):
            let history = try historyObject(of: table)
            try attack("INSERT INTO \(history) SELECT * FROM \(history) WHERE \(Self.filter(key))", key.map(\.value))
        case .historyRowEnd(let table, let key, let transaction):
            try attack(
                "UPDATE \(try historyObject(of: table)) SET ledger_end_transaction_id = ? WHERE \(Self.filter(key))",
                [Self.value(transaction)] + key.map(\.value))
        case .transactionPrincipal(let transaction, let name):
            try attack(
                "UPDATE database_ledger_transactions SET principal_name = ? WHERE transaction_id = ?",
                [.text(name), Self.value(transaction)])
        case .transactionDeleted(let transaction):
            try attack(
                "DELETE FROM database_ledger_transactions WHERE transaction_id = ?", [Self.value(transaction)])
        case .transactionsSwapped(let one, let other):
            let (one, other) = (Self.value(one), Self.value(other))
            try attack(
                """
                UPDATE database_ledger_transactions SET transaction_ordinal =
                  (SELECT sum(transaction_ordinal) FROM database_ledger_transactions WHERE transaction_id IN (?1, ?2))
                  - transaction_ordinal WHERE transaction_id IN (?1, ?2)
                """, [one, other])
        case .blockRoot(let block, let root):
            try attack(
                "UPDATE database_ledger_blocks SET transactions_root_hash = ? WHERE block_id = ?",
                [.blob(root.bytes), .integer(Int64(block.rawValue))])
        case .ledgerCut(let block, let transaction):
            try attack("DELETE FROM database_ledger_blocks WHERE block_id >= ?", [.integer(Int64(block.rawValue))])
            try attack(
                "DELETE FROM database_ledger_transactions WHERE transaction_id >= ?", [Self.value(transaction)])
        case .schemaEventName(let table, let name):
            try attack(
                """
                UPDATE ledger_schema_events SET body = json_set(body, '$.table', ?) WHERE event_id =
                  (SELECT max(event_id) FROM ledger_schema_events WHERE table_id = ?)
                """, [.text(name), .integer(try number(of: table))])
        case .captureOff(let table):
            try test.openPlain().execute("DROP TRIGGER ledger_update_\(try number(of: table))")
        }
    }

    /// Runs a statement on a connection without the ledger while the triggers are away.
    private func attack(_ statement: String, _ arguments: [SQLValue]) throws {
        let plain = try test.openPlain()
        let triggers = try plain.query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        for trigger in triggers { try plain.execute("DROP TRIGGER \"\(trigger[0].shown)\"") }
        try plain.run(statement, arguments)
        guard case .integer(let count)? = try plain.value("SELECT changes()"), count > 0 else {
            throw SQLiteLedgerError(code: 1, message: "nothing was tampered with: \(statement)")
        }
        for trigger in triggers { try plain.execute(trigger[1].shown) }
    }

    private func number(of table: String) throws -> Int64 {
        guard
            case .integer(let id)? = try db.value(
                "SELECT table_id FROM ledger_tables WHERE name = ?", [.text(table)])
        else { throw SQLiteLedgerError(code: 1, message: "no ledger table \(table)") }
        return id
    }

    private static func filter(_ key: [NamedValue]) -> String {
        key.map { "\($0.name) = ?" }.joined(separator: " AND ")
    }

    private static func value(_ transaction: TransactionNumber) -> SQLValue { .integer(Int64(transaction.rawValue)) }
}
