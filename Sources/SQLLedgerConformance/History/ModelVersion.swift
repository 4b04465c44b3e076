import SQLLedger

/// A row version as it must be stored. Transactions are counted among those that changed rows of the suite's tables.
struct ModelVersion: Hashable {
    struct Place: Hashable, Comparable {
        var transaction: Int
        var sequence: UInt64

        static func < (a: Place, b: Place) -> Bool { (a.transaction, a.sequence) < (b.transaction, b.sequence) }
    }

    var table: String
    var start: Place
    var end: Place?
    var columns: [String]
    var values: [SQLValue]
    var key: [SQLValue]
}
