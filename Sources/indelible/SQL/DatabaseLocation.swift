import Foundation

/// The database of a command: a path, or a `sqlite:` URL (`sqlite:app.db`, `sqlite:///var/lib/app/app.db`).
struct DatabaseLocation {
    var path: String

    /// The names by which this file is known again: the one that was given, from the root on, and the one without links. A link that
    /// is put in its place leaves the first, and a path by way of a link leads to the second.
    var names: [String] {
        let whole = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        let given = "/" + whole.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        return [given] + [FileKind.resolved(path)].compactMap(\.self).filter { $0 != given }
    }

    /// The files that SQLite keeps beside it: beside the file, not beside a link to it.
    var companions: [String] {
        Set([path, FileKind.resolved(path) ?? path]).sorted().flatMap { path in
            ["-wal", "-shm", "-journal"].map { path + $0 }
        }
    }

    /// Errors: a `Failure` for other databases and, unless `mayBeMissing`, for files that are not there.
    init(_ argument: String, mayBeMissing: Bool = false) throws {
        let scheme = argument.prefix { $0.isLetter || $0.isNumber || $0 == "+" }.lowercased()
        let rest = argument.dropFirst(scheme.count)
        if rest.first == ":" {
            switch scheme {
            case "sqlite", "file":
                path = try Self.path(String(rest.dropFirst()), of: argument)
            case "postgres", "postgresql":
                throw Failure(
                    "\(scheme): PostgreSQL is not there yet; this version reads SQLite databases (a path, or sqlite:PATH)"
                )
            default:
                // A path may hold a colon; a URL of anything else may not pass for one.
                guard !rest.hasPrefix("://") else {
                    throw Failure("\(scheme): is not a database this version knows; give a path, or sqlite:PATH")
                }
                path = argument
            }
        } else {
            path = argument
        }
        guard !path.isEmpty else { throw Failure("no database: the path is empty") }
        guard path != ":memory:" else {
            throw Failure(":memory: is gone when the command ends; name a file")
        }
        switch FileKind.of(path) {
        case .typeRegular: break
        case .typeDirectory: throw Failure("\(path): is a directory, expected a database file")
        case .some: throw Failure("\(path): is not a regular file, expected a database file")
        case nil: if !mayBeMissing { throw Failure("\(path): \(FileKind.absence(path))") }
        }
        // SQLite would wait for the writer of a pipe.
        for name in companions {
            if let kind = FileKind.of(name), kind != .typeRegular { throw Failure("\(name): is not a regular file") }
        }
    }

    private static func path(_ text: String, of argument: String) throws -> String {
        var text = Substring(text)
        if text.hasPrefix("//") {
            text = text.dropFirst(2)
            if text.hasPrefix("localhost/") { text = text.dropFirst("localhost".count) }
            guard text.hasPrefix("/") else {
                throw Failure("\(argument): names a host; write sqlite:PATH or sqlite:///ABSOLUTE/PATH")
            }
        }
        guard !text.contains("?"), !text.contains("#") else {
            throw Failure("\(argument): options in the URL are not known; write sqlite:PATH")
        }
        guard let path = text.removingPercentEncoding else {
            throw Failure("\(argument): has a broken %-escape")
        }
        return path
    }
}
