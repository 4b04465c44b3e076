import CSQLiteLedger
import SQLLedger
import Synchronization

/// The SQLite file of a ledger, opened read-only as evidence.
public final class SQLiteEvidence: LedgerEvidence {
    public let source: String
    public var notes: [String] { shared.notes.withLock { $0 } }

    private let path: String
    private let file: DatabaseFile
    private let copy: PrivateCopy?
    /// The state of the file when it was opened: without locks, nothing but that tells whether it was written.
    private let opened: FileState?
    private let shared: SharedEvidence
    private let readers = Mutex<[SQLiteEvidenceReader]>([])

    /// Opens the database at `path` for verification. Neither the file nor its neighbours are changed; where SQLite
    /// would have to (a hot journal, a WAL whose writers are gone), a private copy is read, and `notes` says so.
    ///
    /// SQLite must have been loaded into the process: `LinkedSQLite` does that for programs.
    public static func open(path: String) throws(VerificationError) -> SQLiteEvidence {
        guard ils_is_adopted() != 0 else {
            throw VerificationError(object: path, reason: "SQLite has not been loaded into this process")
        }
        return try SQLiteEvidence(path)
    }

    private init(_ path: String) throws(VerificationError) {
        file = try DatabaseFile(path)
        opened = FileState(file.path)
        shared = SharedEvidence(isImmutable: file.access == .immutable)
        switch file.access {
        case .shared, .immutable:
            copy = nil
            self.path = file.path
            source = path
        case .copy(let endings):
            let copy = try PrivateCopy(of: file.path, with: endings)
            self.copy = copy
            self.path = copy.path
            let neighbours = endings.map { String($0.dropFirst()) }.joined(separator: " and ")
            source = "\(path) (a private copy, with its \(neighbours))"
            shared.note(
                "A private copy of the database and its \(neighbours) was read, because SQLite would have had to "
                    + "write to the file to read it.")
            foldLog()
        }
    }

    /// Makes a private copy one file: of pages in a log only SQLite knows where they are, and some checks read pages themselves. Where it
    /// fails, they are left out as for others' logs, and what is wrong shows when the copy is read.
    private func foldLog() {
        var opened: OpaquePointer?
        let flags = file.opening.flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX
        if ils_open(file.uri(path, parameters: file.opening.parameters), &opened, flags) == SQLITE_OK, let opened {
            ils_exec(opened, "PRAGMA trusted_schema = OFF")
            ils_exec(opened, "PRAGMA journal_mode = DELETE")
        }
        if let opened { ils_close(opened) }
    }

    public func makeReaders(_ count: Int) throws -> [any LedgerEvidenceReader] {
        var made: [SQLiteEvidenceReader] = []
        for _ in 0..<max(count, 1) { made.append(try makeReader()) }
        if file.access == .shared {
            try startTogether(made)
        } else {
            for reader in made { try reader.begin() }
        }
        readers.withLock { $0 = made }
        return made
    }

    private func makeReader() throws -> SQLiteEvidenceReader {
        try SQLiteEvidenceReader(
            file.uri(path, parameters: file.opening.parameters), file.opening.flags, shared, source)
    }

    /// Starts a read transaction on each reader until no commit fell between the first and the last.
    private func startTogether(_ readers: [SQLiteEvidenceReader]) throws {
        let spare = try makeReader()
        for _ in 0..<100 {
            let before = try spare.dataVersion()
            for reader in readers { try reader.begin() }
            if readers.count == 1 { return }
            if try spare.dataVersion() == before { return }
            for reader in readers { reader.end() }
        }
        throw VerificationError(object: source, reason: "other connections write too fast for one common snapshot")
    }

    public func finish() throws {
        for reader in readers.withLock({ $0 }) { reader.end() }
        readers.withLock { $0 = [] }
        guard file.access == .immutable else { return }
        let wal = FileState(file.path + "-wal")
        guard FileState(file.path) == opened, (wal?.byteCount ?? 0) == 0 else {
            throw VerificationError(object: source, reason: "it was written while it was read; try again")
        }
    }
}
