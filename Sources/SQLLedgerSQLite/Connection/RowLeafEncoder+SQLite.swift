import CSQLiteLedger
import SQLLedger

extension RowLeafEncoder {
    /// Appends a value of SQLite as it is stored (Documentation/spec/sql-row.md, "Values"). `nil` is NULL. A text of a
    /// UTF-16 database is converted in place.
    ///
    /// `isUTF8`: the database's encoding is known to be UTF-8. Then a text's bytes are taken as they are: asking for
    /// them as text would copy each text that the application bound, to end it with a zero.
    @inline(__always)
    mutating func append(_ value: OpaquePointer?, isUTF8: Bool = false) {
        guard let value else { return appendNull() }
        switch ils_value_type(value) {
        case SQLITE_INTEGER: append(integer: ils_value_int64(value))
        case SQLITE_FLOAT: append(real: ils_value_double(value))
        case SQLITE_TEXT:
            // The text is asked for before its length, because asking may convert it.
            let text = isUTF8 ? ils_value_blob(value) : UnsafeRawPointer(ils_value_text(value))
            append(text: UnsafeRawBufferPointer(start: text, count: Int(ils_value_bytes(value))))
        case SQLITE_BLOB:
            let blob = ils_value_blob(value)
            append(blob: UnsafeRawBufferPointer(start: blob, count: Int(ils_value_bytes(value))))
        default: appendNull()
        }
    }
}
