import CSQLiteLedger
import SQLLedger

/// A prepared statement. Finalised with its last reference, unless the application did so.
public final class SQLiteStatement {
    /// `sqlite3_stmt *`.
    public let handle: OpaquePointer
    private let database: OpaquePointer
    /// Of one that is kept.
    private let watch: StatementWatch?
    /// The transaction number that capture has bound; parameters keep their values over executions.
    var boundTransaction: UInt64 = 0

    init(_ handle: OpaquePointer, on database: OpaquePointer, watch: StatementWatch? = nil) {
        self.handle = handle
        self.database = database
        self.watch = watch
    }

    deinit {
        if watch?.areLost != true { ils_finalize(handle) }
    }

    /// The number of columns of each row.
    public var columnCount: Int { Int(ils_column_count(handle)) }

    public func columnName(_ column: Int) -> String {
        ils_column_name(handle, Int32(column)).map { String(cString: $0) } ?? ""
    }

    /// Goes to the next row. Returns `false` after the last one.
    public func step() throws(SQLiteLedgerError) -> Bool {
        switch ils_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            let error = SQLiteLedgerError.last(of: database, code: code)
            ils_reset(handle)
            throw error
        }
    }

    /// Makes the statement ready to run again; parameters keep their values.
    public func reset() { ils_reset(handle) }

    /// Binds the parameters from the first on. The values are copied.
    public func bind(_ values: [SQLValue]) throws(SQLiteLedgerError) {
        for (index, value) in values.enumerated() { try bind(value, at: index + 1) }
    }

    /// Binds parameter `index`, counted from 1. The value is copied.
    public func bind(_ value: SQLValue, at index: Int) throws(SQLiteLedgerError) {
        let index = Int32(index)
        let code: Int32 =
            switch value {
            case .null: ils_bind_null(handle, index)
            case .integer(let value): ils_bind_int64(handle, index, value)
            case .real(let value): ils_bind_double(handle, index, value)
            case .text(let bytes):
                bytes.withUnsafeBytes {
                    ils_bind_text(handle, index, $0.baseAddress?.assumingMemoryBound(to: CChar.self), UInt64($0.count))
                }
            case .blob(let bytes):
                bytes.withUnsafeBytes { ils_bind_blob(handle, index, $0.baseAddress, UInt64($0.count)) }
            }
        guard code == SQLITE_OK else { throw .last(of: database, code: code) }
    }

    /// The whole row.
    public var row: [SQLValue] { (0..<columnCount).map { value($0) } }

    /// Copies column `column` of the row, counted from 0.
    public func value(_ column: Int) -> SQLValue {
        let column = Int32(column)
        switch ils_column_type(handle, column) {
        case SQLITE_INTEGER: return .integer(ils_column_int64(handle, column))
        case SQLITE_FLOAT: return .real(ils_column_double(handle, column))
        case SQLITE_TEXT:
            let text = ils_column_text(handle, column)
            return .text(Array(UnsafeRawBufferPointer(start: text, count: Int(ils_column_bytes(handle, column)))))
        case SQLITE_BLOB:
            let blob = ils_column_blob(handle, column)
            return .blob(Array(UnsafeRawBufferPointer(start: blob, count: Int(ils_column_bytes(handle, column)))))
        default: return .null
        }
    }

    /// The column as a number, 0 when it is none.
    public func integer(_ column: Int) -> Int64 { ils_column_int64(handle, Int32(column)) }

    /// The column as text, empty for NULL. Bytes that are not UTF-8 are replaced.
    public func text(_ column: Int) -> String {
        guard let text = ils_column_text(handle, Int32(column)) else { return "" }
        let bytes = UnsafeRawBufferPointer(start: text, count: Int(ils_column_bytes(handle, Int32(column))))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The column as text, or `nil` for NULL.
    public func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

    /// The bytes of the column, of a text its UTF-8 form.
    public func bytes(_ column: Int) -> [UInt8] {
        if ils_column_type(handle, Int32(column)) == SQLITE_TEXT {
            let text = ils_column_text(handle, Int32(column))
            return Array(UnsafeRawBufferPointer(start: text, count: Int(ils_column_bytes(handle, Int32(column)))))
        }
        let blob = ils_column_blob(handle, Int32(column))
        return Array(UnsafeRawBufferPointer(start: blob, count: Int(ils_column_bytes(handle, Int32(column)))))
    }

    public func isNull(_ column: Int) -> Bool { ils_column_type(handle, Int32(column)) == SQLITE_NULL }
}
