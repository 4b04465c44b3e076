/// Statements on one table that are prepared once for a connection. Emptied when SQLite closes the connection.
struct TableStatements {
    var readStamp: SQLiteStatement?
    var insertStamp: SQLiteStatement?
    var moveStamp: SQLiteStatement?
    var renewStamp: SQLiteStatement?
    var deleteStamp: SQLiteStatement?
    var rowExists: SQLiteStatement?
    var readRow: SQLiteStatement?
    /// By the number of values.
    var insertHistory: [Int: SQLiteStatement] = [:]
    /// The one with all values, taken out for the hot path.
    var insertFullHistory: SQLiteStatement?
}
