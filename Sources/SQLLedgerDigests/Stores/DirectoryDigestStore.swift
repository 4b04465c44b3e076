import Dispatch
import LedgerProofs
import SQLLedger

/// Digests as files: `<directory>/<ledger id>/<block id, 20 digits>.json`, each written once and never again.
///
/// The directory itself must exist, so that a medium that is not mounted is noticed. It is worth as much as it is out
/// of reach for those who can change the database: another machine, a write-once medium.
public struct DirectoryDigestStore: DigestArchive {
    public let url: String
    private let path: String
    /// A medium that hangs keeps its own thread waiting, none of those that all tasks share.
    private let queue = DispatchQueue(label: "indelible.digest-directory")

    /// `path` is absolute. Nothing is opened yet.
    public init(path: String) {
        self.path = path
        self.url = "\(DigestStoreURL.directory(path: path))"
    }

    public func append(_ digest: LedgerDigest) async throws {
        try await onQueue { try write(digest) }
    }

    public func listing(for ledger: LedgerID, from first: BlockID) async throws -> DigestListing {
        try await onQueue { try list(ledger, from: first) }
    }

    public func blocks(of ledger: LedgerID, from first: BlockID) async throws -> [BlockID] {
        try await onQueue { try names(ledger).compactMap { Self.block(of: $0) }.filter { $0 >= first }.sorted() }
    }

    public func digests(for ledger: LedgerID, block: BlockID) async throws -> [StoredDigest] {
        try await onQueue { try find(block, of: ledger) }
    }

    // MARK: Files

    private func onQueue<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { done in
            queue.async { done.resume(with: Result { try body() }) }
        }
    }

    private func write(_ digest: LedgerDigest) throws {
        let directory = folder(of: digest.ledger)
        let name = Self.name(of: digest.block)
        let bytes = Array((try digest.readableJSON() + "\n").utf8)
        do {
            try requireDirectory()
            try WriteOnceFile.makeDirectory(digest.ledger.hex, in: path)
            guard try WriteOnceFile.write(bytes, directory: directory, name: name) == .exists else { return }
            let file = "\(directory)/\(name)"
            let stored = try WriteOnceFile.read(file, limit: Self.maximumFileByteCount)
            guard stored == bytes else {
                let other = stored.flatMap { try? LedgerDigest(json: $0) }
                throw DigestStoreError(
                    .conflict,
                    "\(file) holds another digest of block \(digest.block): "
                        + "\(other.map(Self.summary) ?? "unreadable"), to be stored was \(Self.summary(digest))")
            }
            // Whoever wrote it may have been cut off before this.
            try WriteOnceFile.synchronise(directory: directory)
        } catch let failure as WriteOnceFile.Failure {
            throw Self.error(failure)
        }
    }

    private func names(_ ledger: LedgerID) throws -> [String] {
        do {
            try requireDirectory()
            return try WriteOnceFile.names(in: folder(of: ledger)) ?? []
        } catch let failure as WriteOnceFile.Failure {
            throw Self.error(failure)
        }
    }

    private func list(_ ledger: LedgerID, from first: BlockID) throws -> DigestListing {
        let directory = folder(of: ledger)
        var listing = DigestListing()
        for name in try names(ledger) {
            if let block = Self.block(of: name), block < first { continue }
            let file = "\(directory)/\(name)"
            if name.hasPrefix("."), name.hasSuffix(WriteOnceFile.temporarySuffix) {
                listing.problems.append(
                    DigestProblem(.leftover, origin: file, reason: "the remains of a write that was cut off"))
                continue
            }
            switch Self.read(file, name: name, ledger: ledger) {
            case .success(let digest): listing.digests.append(StoredDigest(digest: digest, origin: file))
            case .failure(let problem): listing.problems.append(problem)
            case nil:
                // Digests are never taken away; a name that is no text cannot be opened by it.
                listing.problems.append(
                    DigestProblem(.damaged, origin: file, reason: "is in the directory and cannot be opened"))
            }
        }
        return listing
    }

    private func find(_ block: BlockID, of ledger: LedgerID) throws -> [StoredDigest] {
        try requireDirectory()
        let name = Self.name(of: block)
        let file = "\(folder(of: ledger))/\(name)"
        switch Self.read(file, name: name, ledger: ledger) {
        case .success(let digest): return [StoredDigest(digest: digest, origin: file)]
        case .failure(let problem): throw DigestStoreError(.damaged, problem.description)
        case nil: return []
        }
    }

    static let maximumFileByteCount = LedgerDigest.maximumByteCount + 1

    /// Block ids have at most 20 digits, so names sort like the numbers.
    static func name(of block: BlockID) -> String {
        let digits = String(block.rawValue)
        return String(repeating: "0", count: 20 - digits.count) + digits + ".json"
    }

    /// The block whose file has this name.
    private static func block(of name: String) -> BlockID? {
        guard let number = UInt64(name.prefix(20)), Self.name(of: BlockID(number)) == name else { return nil }
        return BlockID(number)
    }

    /// One line of text.
    static func contents(of digest: LedgerDigest) -> [UInt8] { Array((digest.json + "\n").utf8) }

    private func folder(of ledger: LedgerID) -> String { "\(path)/\(ledger.hex)" }

    private func requireDirectory() throws {
        guard WriteOnceFile.isDirectory(path) else {
            throw DigestStoreError(.refused, "\(path): there is no such directory, or it is not mounted or readable")
        }
    }

    /// A digest, or what is wrong with its file; `nil` when there is none.
    private static func read(_ file: String, name: String, ledger: LedgerID) -> Result<LedgerDigest, DigestProblem>? {
        func problem(_ reason: String) -> Result<LedgerDigest, DigestProblem> {
            .failure(DigestProblem(.damaged, origin: file, reason: reason))
        }
        let bytes: [UInt8]
        do {
            guard let found = try WriteOnceFile.read(file, limit: maximumFileByteCount) else { return nil }
            bytes = found
        } catch { return problem("not a file that holds a digest: \(error.reason)") }
        let digest: LedgerDigest
        do {
            digest = try LedgerDigest(json: bytes)
        } catch { return problem("not a digest: \(error.reason)") }
        guard contents(of: digest) == bytes else { return problem("a digest, but not byte for byte as it is written") }
        guard digest.ledger == ledger else {
            return problem("a digest of ledger \(digest.ledger) in the directory of ledger \(ledger)")
        }
        guard Self.name(of: digest.block) == name else {
            return problem("holds the digest of block \(digest.block), whose file is \(Self.name(of: digest.block))")
        }
        return .success(digest)
    }

    private static func summary(_ digest: LedgerDigest) -> String {
        "hash 0x\(digest.hash.hex.uppercased()) of \(digest.digestTime)"
    }

    private static func error(_ failure: WriteOnceFile.Failure) -> DigestStoreError {
        DigestStoreError(failure.isRefusal ? .refused : .unavailable, failure.reason)
    }
}
