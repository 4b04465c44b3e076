import SQLLedger

/// The history that every law is checked on: three tables, three closed blocks and a tail, by several principals, with
/// a transaction of more than two chunks of leaves, a transaction that is rolled back, and schema changes.
struct HonestHistory {
    var model: Model
    /// The digests of blocks 0, 1 and 2.
    var digests: [LedgerDigest] = []
    /// The statements after the last block, each a transaction.
    static let tailCount: UInt64 = 1

    static let account = ConformanceTable(
        "account",
        [
            .init("id", .integer), .init("owner", .text), .init("amount", .integer), .init("spare", .integer),
            .init("state", .text),
        ], key: ["id"])
    static let rate = ConformanceTable(
        "rate", [.init("code", .text), .init("day", .text), .init("value", .real)], key: ["code", "day"])
    static let journal = ConformanceTable(
        "journal", [.init("id", .integer), .init("message", .text), .init("data", .bytes)], key: ["id"],
        kind: .appendOnly)
    static let gone = ConformanceTable("gone", [.init("id", .integer)], key: ["id"])

    /// Where row operations are in the history: indexes of `model.transactions`.
    enum Step {
        static let load = 0
        static let lonelyRow = 1
        static let rates = 2
        static let payment = 3
    }

    static func id(_ id: Int64) -> [NamedValue] { [NamedValue("id", .integer(id))] }

    static func newAccount(_ id: Int64) -> RowChange {
        .insert(
            table: "account",
            row: self.id(id) + [
                NamedValue("owner", .text(owner(id))), NamedValue("amount", .integer(id * 10)),
                NamedValue("state", .text("pending")),
            ])
    }

    /// No owner's name is part of another one's.
    static func owner(_ id: Int64) -> String { "owner-\(id)-" }

    static func entry(_ id: Int64, _ message: SQLValue, _ data: SQLValue) -> RowChange {
        .insert(table: "journal", row: self.id(id) + [NamedValue("message", message), NamedValue("data", data)])
    }

    static func rateKey(_ code: String) -> [NamedValue] {
        [NamedValue("code", .text(code)), NamedValue("day", .text("d1"))]
    }

    /// Writes the history into a new database.
    init(on database: some ConformanceDatabase) throws {
        model = Model(stored: { [unowned database] in database.stored($0, $1) })
        for table in [Self.account, Self.rate, Self.journal, Self.gone] {
            try database.create(table)
            model.create(table)
        }
        try run(database, "alice", (1...300).map { Self.newAccount($0) })
        // Far from the others, so that the keys span more than one part.
        try run(database, "alice", [Self.newAccount(1_000_000)])
        try run(
            database, "bob",
            ["EUR", "USD", "YEN"].map {
                .insert(table: "rate", row: Self.rateKey($0) + [NamedValue("value", .real(1.25))])
            } + [Self.entry(1, .text("opened"), .blob([0, 1, 0xFF]))])
        try close(database)

        try run(
            database, "bob",
            [
                .update(
                    table: "account", key: Self.id(7),
                    set: [NamedValue("state", .text("paid")), NamedValue("amount", .integer(71))])
            ])
        try run(
            database, "carol \u{1F512}",
            [
                .update(table: "rate", key: Self.rateKey("USD"), set: [NamedValue("value", .real(-0.5))]),
                .delete(table: "account", key: Self.id(9)), Self.entry(2, .text(""), .blob([])),
                Self.entry(3, .null, .null), Self.entry(.min, .text("e\u{301}"), .null),
            ])
        try run(
            database, "alice",
            [
                Self.newAccount(2000), .delete(table: "account", key: Self.id(2000)),
                .delete(table: "account", key: Self.id(10)), Self.newAccount(10),
                .update(table: "account", key: Self.id(11), set: [NamedValue("amount", .integer(1))]),
                .update(table: "account", key: Self.id(11), set: [NamedValue("amount", .null)]),
            ])
        try database.transaction(principal: "dave", commits: true, [.insert(table: "gone", row: Self.id(1))])
        try close(database)

        try database.transaction(
            principal: "mallory", commits: false,
            [Self.newAccount(3000), .delete(table: "account", key: Self.id(20)), Self.entry(7, .text("no"), .null)])
        try change(database, .addColumn(table: "account", .init("note", .text)))
        try run(
            database, "bob",
            [
                .update(table: "account", key: Self.id(12), set: [NamedValue("note", .text("checked"))]),
                .insert(table: "account", row: Self.id(400) + [NamedValue("note", .text("new"))]),
            ])
        try change(database, .renameColumn(table: "account", from: "spare", to: "reserve"))
        try run(
            database, "carol",
            [.update(table: "account", key: Self.id(13), set: [NamedValue("reserve", .integer(5))])])
        try change(database, .dropTable("gone"))
        try close(database)

        try run(database, "dave", [Self.entry(9, .text("tail"), .null)])
    }

    /// Runs a transaction of which something is to be left.
    mutating func run(_ database: some ConformanceDatabase, _ principal: String, _ changes: [RowChange]) throws {
        try database.transaction(principal: principal, commits: true, changes)
        model.run(principal: principal, changes)
    }

    private mutating func change(_ database: some ConformanceDatabase, _ change: SchemaChange) throws {
        try database.change(change)
        model.change(change)
    }

    private mutating func close(_ database: some ConformanceDatabase) throws {
        guard let digest = try database.closeBlock() else { throw ConformanceError(reason: "no block was closed") }
        digests.append(digest)
    }
}
