import CSQLiteLedger
import SQLLedger

/// How SQLite's pre-update hook counts the columns of a table with row ids that has virtual ones. SQLite 3.40 counts those
/// that are stored, and converts values as though it counted all.
enum HookNumbering {
    /// Asked of SQLite itself, in a database of its own.
    static let countsStoredColumns: Bool = {
        guard ils_has_preupdate() != 0, let memory = try? SQLiteConnection(path: ":memory:", creates: true) else {
            return false
        }
        let made: ()? = try? memory.execute(
            "CREATE TABLE t(v AS (7) VIRTUAL, a INTEGER, b INTEGER); INSERT INTO t(a, b) VALUES (1, 2)")
        guard made != nil else { return false }
        var found: [Int64] = []
        withUnsafeMutablePointer(to: &found) { pointer in
            _ = ils_preupdate_hook(
                memory.handle,
                { context, handle, _, _, _, _, _ in
                    guard let handle, let found = context?.assumingMemoryBound(to: [Int64].self) else { return }
                    for place in 0..<2 {
                        var value: OpaquePointer?
                        guard ils_preupdate_old(handle, Int32(place), &value) == SQLITE_OK, let value else { return }
                        found.pointee.append(ils_value_int64(value))
                    }
                }, UnsafeMutableRawPointer(pointer))
            try? memory.execute("DELETE FROM t")
            _ = ils_preupdate_hook(memory.handle, nil, nil)
        }
        return found == [1, 2]
    }()
}
