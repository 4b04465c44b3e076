import SQLLedger
import SQLLedgerDigests
import SQLLedgerGRDB
import SQLLedgerSQLite

/// One run of the verifier over a database file.
struct LedgerVerification {
    var location: DatabaseLocation
    var options: VerificationOptions

    /// Which ledger the database says it is, for asking stores; `nil` when it does not say.
    /// Read as carefully as evidence, because the file may be one that SQLite would want to write to.
    static func ledger(of location: DatabaseLocation) throws -> (ledger: LedgerID?, collection: String?) {
        try LinkedSQLite.load()
        guard let evidence = try? SQLiteEvidence.open(path: location.path),
            let reader = try? evidence.makeReaders(1).first
        else { return (nil, nil) }
        defer { try? evidence.finish() }
        guard let identity = try? reader.identity() else { return (nil, nil) }
        let collection = identity.createTime.map {
            DigestCollection.name(database: identity.databaseName, createTime: $0)
        }
        return (identity.ledger, collection)
    }

    /// Whether the database still has the block of a digest, with its hash.
    static func reproduces(_ digest: LedgerDigest, _ location: DatabaseLocation) -> Bool {
        guard let evidence = try? SQLiteEvidence.open(path: location.path),
            let reader = try? evidence.makeReaders(1).first
        else { return false }
        defer { try? evidence.finish() }
        let next = try? reader.blocks(from: digest.block)
        // Ids below 0 come before those from 0 on.
        while let stored = try? next?() {
            guard stored.id > digest.block else {
                return stored.id == digest.block && stored.block(of: digest.ledger)?.hash == digest.hash
            }
        }
        return false
    }

    func run(_ gathered: GatheredDigests) throws -> VerificationReport {
        let bar = ProgressBar(unit: "row versions")
        var options = options
        options.progress = { bar.update($0.rows, of: $0.total ?? 0) }
        try LinkedSQLite.load()
        let evidence: SQLiteEvidence
        do {
            evidence = try SQLiteEvidence.open(path: location.path)
        } catch {
            throw Failure("\(location.path): \(error.reason)")
        }
        defer { bar.clear() }
        return LedgerVerifier(options).verify(evidence, with: gathered)
    }

    /// The report for people with its first line coloured, in which no stored text can make a line of its own.
    static func painted(_ report: VerificationReport) -> String {
        let lines = report.plain.text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            PlainText.of(String(line))
        }
        guard let first = lines.first else { return "" }
        let paint = report.verdict == .verified ? Style.good : Style.bad
        return ([paint(first)] + lines.dropFirst()).joined(separator: "\n")
    }
}
