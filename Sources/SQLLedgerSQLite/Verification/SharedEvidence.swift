import SQLLedger
import Synchronization

/// What all readers of one verification have in common.
final class SharedEvidence: Sendable {
    let notes = Mutex<[String]>([])
    let history = Mutex<SchemaHistory?>(nil)
    /// What `integrity_check` says of all tables, without an end.
    let wholeCheck = Mutex<IndexCheck.Lines?>(nil)
    /// Whether SQLite was told that nobody writes to the file, and reads no log beside it.
    let isImmutable: Bool

    init(isImmutable: Bool = false) { self.isImmutable = isImmutable }

    /// Where one part of a table ends and the next one begins.
    struct Border: Hashable, Sendable {
        var object: String
        /// The first row id that the next part may have.
        var row: Int64
    }

    /// What was said first about each border, until it is said again.
    private let borders = Mutex<[Border: Int64?]>([:])

    /// Whether whoever comes first and whoever comes second to a border see the same row behind it, or both none.
    func agree(_ border: Border, _ row: Int64?) -> Bool {
        borders.withLock { borders in
            guard let other = borders.removeValue(forKey: border) else {
                borders.updateValue(row, forKey: border)
                return true
            }
            return other == row
        }
    }

    func note(_ text: String) {
        notes.withLock { if !$0.contains(text) { $0.append(text) } }
    }
}
