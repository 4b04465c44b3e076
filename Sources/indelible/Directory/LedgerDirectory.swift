import Foundation

/// What the user named: a ledger directory, or a data directory that has one in it.
struct LedgerDirectory {
    var path: String

    /// The folder beside it: of the data directory when that was named, wherever a link has its ledger.
    let snapshots: String

    /// Errors: no such directory; chunks both in it and in a `ledger` in it, because one of the two would go unread.
    init(_ given: String) throws {
        guard InputFile.exists(given) else {
            throw Failure("\(given): \(FileKind.absence(given, expected: "directory"))")
        }
        let inner = "\(given)/ledger"
        guard InputFile.exists(inner) else {
            path = given
            snapshots = (given.hasSuffix("/") ? String(given.dropLast()) : given) + "/../snapshots"
            return
        }
        if Self.hasChunks(given) {
            throw Failure("\(given): holds ledger chunks, and a 'ledger' beside them; name the one to read")
        }
        path = inner
        snapshots = "\(given)/snapshots"
    }

    private static func hasChunks(_ directory: String) -> Bool {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return false }
        return names.contains { name in
            name.utf8.starts(with: "ledger_".utf8) && FileKind.of("\(directory)/\(name)") != .typeDirectory
        }
    }
}
