import Foundation
import LedgerProofs
import SQLLedger

/// What this machine verified last of one ledger. Kept outside of the database and trusted as the verifier's own memory.
struct VerifiedState {
    /// The end of one verification.
    struct Mark: Equatable {
        var digest: LedgerDigest
        /// When that was, RFC 3339.
        var time: String
    }

    /// Of all files.
    private(set) var newest: Mark
    /// Of each file, by its names (`DatabaseLocation.names`). Empty where an older build wrote it.
    private(set) var files: [String: Mark]

    private struct Stored: Codable {
        struct File: Codable {
            var digest: String
            var verifyTime: String
        }

        var format: String
        var digest: String
        var verifyTime: String
        var files: [String: File]?
    }

    private static let format = "indelible/verified/1"
    /// Copies come and go; the oldest ones are forgotten.
    private static let fileLimit = 64

    /// `nil`: there is no such file. Errors: a `Failure` for a file that is not ours.
    init?(file: String) throws {
        guard InputFile.exists(file) else { return nil }
        // A pipe would be waited for.
        guard FileKind.of(file) == .typeRegular,
            let bytes = try? InputFile.bytes(file, limit: 1 << 20),
            let stored = try? JSONDecoder().decode(Stored.self, from: Data(bytes)), stored.format == Self.format,
            let digest = try? LedgerDigest(json: stored.digest),
            let files = try? stored.files?.mapValues({
                Mark(digest: try LedgerDigest(json: $0.digest), time: $0.verifyTime)
            }) ?? [:]
        else {
            throw Failure(
                "\(file): cannot be read as what this program verified last, and is not replaced; name another file with --state"
            )
        }
        newest = Mark(digest: digest, time: stored.verifyTime)
        self.files = files
    }

    /// The first verification of a ledger, of the file with these names.
    init(_ mark: Mark, of names: [String]) {
        newest = mark
        files = Dictionary(uniqueKeysWithValues: Set(names).map { ($0, mark) })
    }

    /// What was verified last of the file with one of these names.
    func mark(of names: [String]) -> Mark? {
        names.compactMap { files[$0] }.max { $0.digest.block < $1.digest.block }
    }

    /// A name of the file of which the newest verification was.
    var newestFile: String? { files.filter { $0.value == newest }.keys.min() }

    /// Older digests replace no newer ones, neither here nor where another run came further meanwhile.
    static func add(_ mark: Mark, of names: [String], to file: String) throws {
        guard var state = try VerifiedState(file: file) else {
            return try VerifiedState(mark, of: names).write(to: file)
        }
        guard state.newest.digest.ledger == mark.digest.ledger else { throw state.isOfAnotherLedger(file) }
        let before = state
        if state.newest.digest.block <= mark.digest.block { state.newest = mark }
        for name in names where (state.files[name]?.digest.block).map({ $0 <= mark.digest.block }) ?? true {
            state.files[name] = mark
        }
        for old in state.files.sorted(by: { $0.value.time > $1.value.time }).dropFirst(Self.fileLimit) {
            state.files[old.key] = nil
        }
        if state.newest != before.newest || state.files != before.files { try state.write(to: file) }
    }

    private func write(to file: String) throws {
        let folder = URL(filePath: file).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure("\(folder.path): cannot be made (\(error.localizedDescription))")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let stored = Stored(
            format: Self.format, digest: newest.digest.json, verifyTime: newest.time,
            files: files.mapValues { Stored.File(digest: $0.digest.json, verifyTime: $0.time) })
        try OutputFile.write(Array(try encoder.encode(stored)) + [UInt8(ascii: "\n")], to: file, mode: 0o600)
    }

    func isOfAnotherLedger(_ file: String) -> Failure {
        Failure("\(file): is of another ledger (\(newest.digest.ledger.hex))")
    }
}
