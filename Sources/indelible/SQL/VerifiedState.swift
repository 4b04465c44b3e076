import Foundation
import LedgerProofs
import SQLLedger

/// What this machine verified last of one ledger. Kept outside of the database and trusted as the verifier's own memory.
struct VerifiedState {
    var digest: LedgerDigest
    /// When that was, RFC 3339.
    var verifyTime: String
    /// The file that was verified (`DatabaseLocation.place`); `nil` where an older build did.
    var database: String?

    private struct Stored: Codable {
        var format: String
        var digest: String
        var verifyTime: String
        var database: String?
    }

    private static let format = "indelible/verified/1"

    /// `nil`: there is no such file. Errors: a `Failure` for a file that is not ours.
    init?(file: String) throws {
        guard InputFile.exists(file) else { return nil }
        // A pipe would be waited for.
        guard FileKind.of(file) == .typeRegular,
            let bytes = try? InputFile.bytes(file, limit: 1 << 20),
            let stored = try? JSONDecoder().decode(Stored.self, from: Data(bytes)), stored.format == Self.format,
            let digest = try? LedgerDigest(json: stored.digest)
        else {
            throw Failure(
                "\(file): cannot be read as what this program verified last, and is not replaced; name another file with --state"
            )
        }
        self.digest = digest
        verifyTime = stored.verifyTime
        database = stored.database
    }

    init(digest: LedgerDigest, verifyTime: String, database: String) {
        self.digest = digest
        self.verifyTime = verifyTime
        self.database = database
    }

    /// What is kept is not replaced where another run came further meanwhile, nor where it is something else.
    func save(_ file: String) throws {
        if let kept = try VerifiedState(file: file) {
            guard kept.digest.ledger == digest.ledger else { throw kept.isOfAnotherLedger(file) }
            if kept.digest.block > digest.block { return }
            // What was seen in one place says nothing new about another.
            if kept.digest.block == digest.block, kept.database != nil, kept.database != database { return }
        }
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
            format: Self.format, digest: digest.json, verifyTime: verifyTime, database: database)
        try OutputFile.write(Array(try encoder.encode(stored)) + [UInt8(ascii: "\n")], to: file, mode: 0o600)
    }

    func isOfAnotherLedger(_ file: String) -> Failure {
        Failure("\(file): is of another ledger (\(digest.ledger.hex))")
    }
}
