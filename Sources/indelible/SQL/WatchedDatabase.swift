import Foundation

/// A database that is open for a long time, and which file and ledger it was when it was opened: a copy may be put in
/// its place meanwhile, and the connection goes on with the file that nobody else sees any more.
struct WatchedDatabase: Sendable {
    /// What is at the path now.
    enum Place: Equatable {
        case same
        /// Another file, or another ledger in the same file.
        case other(String)
        /// No file, or one that cannot be looked at.
        case gone(String)
    }

    /// The file behind a path, links followed.
    private struct Identity: Equatable {
        var device: UInt64
        var number: UInt64

        /// - Throws: `Failure` when there is no such file.
        init(_ path: String) throws {
            var info = stat()
            guard stat(path, &info) == 0 else {
                throw Failure("\(path): \(FileKind.absence(path))")
            }
            device = UInt64(truncatingIfNeeded: info.st_dev)
            number = UInt64(truncatingIfNeeded: info.st_ino)
        }
    }

    let session: SQLSession
    /// The ledger id in hexadecimal digits.
    let ledger: String
    private let path: String
    private let identity: Identity

    /// - Throws: `Failure` when there is no such file, or no ledger in it.
    init(_ argument: String) throws {
        path = try DatabaseLocation(argument).path
        identity = try Identity(path)
        session = try SQLSession(try DatabaseLocation(argument), mode: .readWrite)
        session.letWaitingEnd()
        ledger = try LedgerStatus.requireIdentity(session, argument)
        guard try Identity(path) == identity else { throw Failure("\(path): was replaced while it was opened") }
    }

    /// - Throws: what reading the database throws.
    func look() throws -> Place {
        do {
            guard try Identity(path) == identity else { return .other("another file is in its place now") }
        } catch let failure as Failure {
            return .gone(failure.message)
        }
        guard let found = try LedgerStatus.identity(session) else { return .other("its ledger is gone") }
        return found == ledger ? .same : .other("it holds another ledger now")
    }
}
