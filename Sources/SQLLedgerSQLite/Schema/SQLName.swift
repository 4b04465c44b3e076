import CSQLiteLedger
import SQLLedger

/// Names as SQL text.
package enum SQLName {
    /// An identifier in double quotes.
    static func quoted(_ name: String) -> String {
        name.quotedIdentifier
    }

    /// A text literal.
    package static func literal(_ text: String) -> String {
        text.quotedText
    }

    /// Whether SQLite takes both for the same name: it folds ASCII letters only.
    package static func same(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).allSatisfy { folded($0) == folded($1) }
    }

    /// The same for all names that SQLite takes for the same, and only for these. ASCII stays readable; each byte beyond
    /// becomes a character of its own, because Swift takes canonically equivalent texts for equal.
    package static func folded(_ name: String) -> String {
        var scalars = String.UnicodeScalarView()
        for byte in name.utf8 { scalars.append(Unicode.Scalar(folded(byte))) }
        return String(scalars)
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// What the row id of a table with these columns can be called, the usual name first.
    package static func rowIDs(besides columns: some Sequence<String>) -> [String] {
        let taken = Set(columns.map(folded))
        return ["rowid", "_rowid_", "oid"].filter { !taken.contains($0) }
    }

    /// Whether the trigger's name is in the ledger's own name space.
    package static func isReservedTrigger(_ name: String) -> Bool {
        let name = folded(name)
        return name.hasPrefix("ledger_") || name.hasPrefix("database_ledger_")
    }

    /// Whether a table of this name is SQLite's or the ledger's, or could become the ledger's. Other names are the
    /// user's, whatever they begin with.
    package static func isReservedTable(_ name: String) -> Bool {
        let folded = folded(name)
        return folded.hasPrefix("sqlite_") || folded == ILS_MODULE || folded == ILS_CLOSING || isLedgerTable(name)
    }

    /// Whether a table of this name is one that the ledger makes for itself.
    static func isLedgerTable(_ name: String) -> Bool { ownTables.contains(folded(name)) || companion(name) != nil }

    /// The number of the ledger table whose history or stamps have this name.
    package static func companion(_ name: String) -> TableID? {
        let name = folded(name)
        for prefix in ["ledger_history_", "ledger_stamps_"] where name.hasPrefix(prefix) {
            let digits = name.dropFirst(prefix.count)
            guard let number = UInt64(digits), number > 0, String(number) == digits else { return nil }
            return TableID(number)
        }
        return nil
    }

    /// Whether the table is there for the ledger whose ledger tables have these numbers.
    package static func isOwnTable(_ name: String, of tables: Set<TableID>) -> Bool {
        ownTables.contains(folded(name)) || companion(name).map(tables.contains) ?? false
    }

    static func isOwnView(_ name: String) -> Bool { ownViews.contains(folded(name)) }

    private static let ownTables = Set(LedgerObjects.tables.map { made($0) })
    static let ownViews = Set(LedgerObjects.views.map { made($0) })

    /// The name is the third word.
    private static func made(_ sql: String) -> String {
        String(sql.split(separator: " ", maxSplits: 2)[2].prefix { $0 != " " && $0 != "(" })
    }
}
