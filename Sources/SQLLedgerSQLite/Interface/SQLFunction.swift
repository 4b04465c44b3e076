import CSQLiteLedger
import SQLLedger

/// The SQL functions of a connection that the ledger is attached to.
struct SQLFunction: Sendable {
    typealias Body = @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void

    var name: String
    /// -1 for any number.
    var argumentCount: Int32
    /// Not from triggers and views.
    var isDirectOnly = true
    var body: Body

    static let all: [SQLFunction] = [
        SQLFunction(name: "ledger_version", argumentCount: 0) { context, _, _ in
            run(context, 0, nil) { _, _ in .text("indelible/sqlite/1") }
        },
        // Guards of the ledger's own tables ask it.
        SQLFunction(name: "ledger_is_writing", argumentCount: 0, isDirectOnly: false) { context, _, _ in
            guard let context, let connection = LedgerConnection.of(ils_user_data(context)) else { return }
            ils_result_int64(context, connection.isAnyInternal ? 1 : 0)
        },
        // The stamp that the trigger of an INSERT writes.
        SQLFunction(name: "ledger_stamp_transaction", argumentCount: 0, isDirectOnly: false) { context, _, _ in
            guard let context, let data = ils_user_data(context) else { return }
            Unmanaged<LedgerConnection>.fromOpaque(data)._withUnsafeGuaranteedRef {
                let ledger = $0.calling
                ils_result_int64(context, Int64(bitPattern: ledger.transaction.rawValue))
            }
        },
        SQLFunction(name: "ledger_stamp_sequence", argumentCount: 0, isDirectOnly: false) { context, _, _ in
            guard let context, let data = ils_user_data(context) else { return }
            Unmanaged<LedgerConnection>.fromOpaque(data)._withUnsafeGuaranteedRef {
                let ledger = $0.calling
                ils_result_int64(context, Int64(bitPattern: ledger.stampSequence))
            }
        },
        // Part of the statement that moves stamps.
        SQLFunction(name: "ledger_swap_stamp", argumentCount: 3) { context, _, values in
            guard let context, let data = ils_user_data(context), let transaction = values?[0],
                let sequence = values?[1], let new = values?[2]
            else { return }
            Unmanaged<LedgerConnection>.fromOpaque(data)._withUnsafeGuaranteedRef {
                let ledger = $0.calling
                ledger.swapStamp(ils_value_int64(transaction), ils_value_int64(sequence))
            }
            ils_result_int64(context, ils_value_int64(new))
        },
        SQLFunction(name: "ledger_init", argumentCount: -1) { context, count, values in
            run(context, count, values) { connection, arguments throws(SQLiteLedgerError) in
                let flag = arguments.first ?? .integer(0)
                guard arguments.count <= 1, flag == .integer(0) || flag == .integer(1) else {
                    throw .refused("ledger_init takes one argument, 0 or 1")
                }
                let all = flag == .integer(1)
                let id = try connection.write { () throws(SQLiteLedgerError) in
                    try connection.initialise(allTables: all)
                }
                return .text(id.hex)
            }
        },
        SQLFunction(name: "ledger_enable", argumentCount: -1) { context, count, values in
            run(context, count, values) { connection, arguments throws(SQLiteLedgerError) in
                guard (1...3).contains(arguments.count), let table = arguments[0].string else {
                    throw .refused("ledger_enable takes a table, 'updatable' or 'append-only', and a name for the view")
                }
                let word = arguments.count > 1 ? arguments[1].string ?? "" : TableKind.updatable.rawValue
                guard let kind = TableKind(rawValue: word) else {
                    throw .refused("the kind of a ledger table is 'updatable' or 'append-only'")
                }
                let view = arguments.count > 2 ? arguments[2].string : nil
                let id = try connection.write { () throws(SQLiteLedgerError) in
                    try connection.enable(table, kind: kind, view: view)
                }
                return .integer(Int64(bitPattern: id.rawValue))
            }
        },
        SQLFunction(name: "ledger_drop_table", argumentCount: 1) { context, count, values in
            run(context, count, values) { connection, arguments throws(SQLiteLedgerError) in
                let name = arguments[0].string ?? ""
                try connection.write { () throws(SQLiteLedgerError) in try connection.dropTable(name) }
                return .null
            }
        },
        SQLFunction(name: "ledger_drop_column", argumentCount: 2) { context, count, values in
            run(context, count, values) { connection, arguments throws(SQLiteLedgerError) in
                let (table, column) = (arguments[0].string ?? "", arguments[1].string ?? "")
                try connection.write { () throws(SQLiteLedgerError) in try connection.dropColumn(table, column) }
                return .null
            }
        },
        SQLFunction(name: "ledger_close_block", argumentCount: 0) { context, count, values in
            run(context, count, values) { connection, _ throws(SQLiteLedgerError) in
                let digest = try connection.write { () throws(SQLiteLedgerError) in try connection.closeBlocks() }
                return digest.map { .text($0.json) } ?? .null
            }
        },
        SQLFunction(name: "ledger_digest", argumentCount: 0) { context, count, values in
            run(context, count, values) { connection, _ throws(SQLiteLedgerError) in
                let digest = try connection.withInternal { () throws(SQLiteLedgerError) in
                    try connection.newestDigest()
                }
                return digest.map { .text($0.json) } ?? .null
            }
        },
        SQLFunction(name: "ledger_refresh", argumentCount: 0) { context, count, values in
            run(context, count, values) { connection, _ throws(SQLiteLedgerError) in
                try connection.write { () throws(SQLiteLedgerError) in
                    connection.isStale = true
                    connection.isReady = false
                    try connection.prepareTransaction()
                    try connection.reinstall()
                }
                return .null
            }
        },
        SQLFunction(name: "ledger_take_hooks", argumentCount: 0) { context, count, values in
            run(context, count, values) { connection, _ in
                connection.takeHooksBack()
                return .null
            }
        },
        SQLFunction(name: "ledger_restore_derived", argumentCount: 0) { context, count, values in
            run(context, count, values) { connection, _ throws(SQLiteLedgerError) in
                let rows = try connection.write { () throws(SQLiteLedgerError) in
                    try connection.load()
                    return try connection.computeDerived()
                }
                return .integer(Int64(rows))
            }
        },
        // Whoever uploads digests says so.
        SQLFunction(name: "ledger_record_upload", argumentCount: 3) { context, count, values in
            run(context, count, values) { connection, arguments throws(SQLiteLedgerError) in
                try connection.write { () throws(SQLiteLedgerError) in
                    try connection.recordUpload(arguments[0], block: arguments[1], isCurrent: arguments[2])
                }
                return .null
            }
        },
        SQLFunction(name: "ledger_set_principal", argumentCount: 1) { context, count, values in
            run(context, count, values) { connection, arguments throws(SQLiteLedgerError) in
                connection.principal = try name(arguments[0], "ledger_set_principal")
                return .null
            }
        },
        SQLFunction(name: "ledger_set_application", argumentCount: 1) { context, count, values in
            run(context, count, values) { connection, arguments throws(SQLiteLedgerError) in
                connection.application = try name(arguments[0], "ledger_set_application")
                return .null
            }
        },
        SQLFunction(name: "ledger_principal", argumentCount: 0) { context, count, values in
            run(context, count, values) { connection, _ in
                .text(connection.principal ?? LedgerConnection.login)
            }
        },
    ]

    /// Who is meant: a text, or a number that stands for somebody. NULL: nobody is named.
    private static func name(_ value: SQLValue, _ function: String) throws(SQLiteLedgerError) -> String? {
        switch value {
        case .null: return nil
        case .integer(let number): return String(number)
        case .text:
            if let text = value.string, !text.isEmpty { return text }
        default: break
        }
        throw .refused("\(function) takes a text that is not empty, an integer, or NULL")
    }

    /// Calls `body` and hands its result or error to SQLite.
    private static func run(
        _ context: OpaquePointer?, _ count: Int32, _ values: UnsafeMutablePointer<OpaquePointer?>?,
        _ body: (LedgerConnection, [SQLValue]) throws(SQLiteLedgerError) -> SQLValue
    ) {
        guard let context, let connection = LedgerConnection.of(ils_user_data(context)) else { return }
        let arguments = (0..<Int(count)).map { SQLValue(copying: values?[$0]) }
        do throws(SQLiteLedgerError) {
            switch try body(connection, arguments) {
            case .integer(let value): ils_result_int64(context, value)
            case .text(let bytes):
                bytes.withUnsafeBytes {
                    ils_result_text(
                        context, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: $0.count))
                }
            default: ils_result_null(context)
            }
        } catch {
            ils_result_error(context, error.message, -1)
            if error.code & 0xff != SQLITE_ERROR { ils_result_error_code(context, error.code) }
        }
    }
}

extension SQLValue {
    /// Copies SQLite's value.
    init(copying value: OpaquePointer?) {
        guard let value else {
            self = .null
            return
        }
        switch ils_value_type(value) {
        case SQLITE_INTEGER: self = .integer(ils_value_int64(value))
        case SQLITE_FLOAT: self = .real(ils_value_double(value))
        case SQLITE_TEXT:
            let text = ils_value_text(value)
            self = .text(Array(UnsafeRawBufferPointer(start: text, count: Int(ils_value_bytes(value)))))
        case SQLITE_BLOB:
            let blob = ils_value_blob(value)
            self = .blob(Array(UnsafeRawBufferPointer(start: blob, count: Int(ils_value_bytes(value)))))
        default: self = .null
        }
    }

    /// The text, or `nil` for another type.
    package var string: String? {
        if case .text(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }
}

extension LedgerConnection {
    /// Runs `body` as one transaction, or as a savepoint of the open one.
    func write<R>(_ body: () throws(SQLiteLedgerError) -> R) throws(SQLiteLedgerError) -> R {
        guard !isInternal else { throw .refused("the ledger's functions cannot be used within the ledger") }
        isInternal = true
        defer { isInternal = false }
        let row = ils_last_insert_rowid(db.handle)
        defer { ils_set_last_insert_rowid(db.handle, row) }
        let isWhole = ils_autocommit(db.handle) != 0
        try db.execute(isWhole ? "BEGIN IMMEDIATE" : "SAVEPOINT ledger_call")
        do throws(SQLiteLedgerError) {
            // Enlisted with the first leaf otherwise; here the savepoint must be known before.
            let result = try body()
            try alterHistories()
            try db.execute(isWhole ? "COMMIT" : "RELEASE ledger_call")
            return result
        } catch {
            isStale = true
            try? db.execute(isWhole ? "ROLLBACK" : "ROLLBACK TO ledger_call; RELEASE ledger_call")
            throw error
        }
    }
}
