/// What the user named: a ledger directory, or a data directory that has one in it.
struct LedgerDirectory {
    var path: String

    /// The folder beside it.
    var snapshots: String {
        (path.hasSuffix("/") ? String(path.dropLast()) : path) + "/../snapshots"
    }

    init(_ given: String) throws {
        guard InputFile.exists(given) else { throw Failure("\(given): there is no such directory") }
        path = InputFile.exists("\(given)/ledger") ? "\(given)/ledger" : given
    }
}
