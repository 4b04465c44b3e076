import ArgumentParser
import Foundation
import LedgerProofs
import SQLLedger
import SQLLedgerDigests

/// Where digests from outside of the database come from, and what is demanded of them.
struct DigestSources: ParsableArguments {
    @Option(
        name: .customLong("digest"),
        help: ArgumentHelp(
            "Digests you kept: a file with one, a list or lines of them; - is standard input. Repeatable.",
            valueName: "file"))
    var files: [String] = []

    @OptionGroup var stores: StoreOptions

    @Option(
        help: ArgumentHelp("The database must be this ledger: 32 hexadecimal digits.", valueName: "ledger-id"))
    var expectLedger: String?

    @Option(
        name: .customLong("expect-store"),
        help: ArgumentHelp("The database must upload to this store, and no other. Repeatable.", valueName: "url"))
    var expectedStores: [String] = []

    @Option(
        help: ArgumentHelp(
            "The newest digest may be this old if there are newer transactions: 90s, 15m, 24h, 7d.", valueName: "time"))
    var maxDigestAge: TimeSpan?

    @Option(
        help: ArgumentHelp("Digests may be this far apart if there are transactions between them.", valueName: "time"))
    var maxDigestGap: TimeSpan?

    @Option(
        help: ArgumentHelp(
            "At most this many transactions may be covered by no digest yet. (default: any number)", valueName: "count")
    )
    var maxTail: UInt64?

    /// Digests, and what was wrong with their sources.
    struct Gathered {
        var digests: [StatedDigest] = []
        /// The stores that answered.
        var stores: [String] = []
        var findings: [Finding] = []
        var notes: [String] = []
    }

    /// `collection`: of a ledger whose URL names none.
    func policy(collection: String?) throws -> DigestPolicy {
        // Uploads are recorded in one spelling, so that is what can be compared.
        let places = try expectedStores.map { text in
            do throws(DigestStoreURLError) {
                return try DigestStoreURL(text).naming(collection).description
            } catch {
                throw Failure("--expect-store: \(error.reason)")
            }
        }
        return DigestPolicy(
            maximumAge: maxDigestAge?.seconds, maximumGap: maxDigestGap?.seconds,
            locations: places.isEmpty ? nil : places, maximumTail: maxTail)
    }

    func expectedLedger() throws -> LedgerID? {
        guard let expectLedger else { return nil }
        guard let ledger = LedgerID(hex: expectLedger.lowercased()) else {
            throw Failure("--expect-ledger: \(expectLedger) is not 32 hexadecimal digits")
        }
        return ledger
    }

    /// Reads files, and asks stores for the digests of `ledger`. A store that cannot be read, and a digest whose receipt
    /// is wrong, are findings.
    func gather(ledger: LedgerID?, collection: String?) async throws -> Gathered {
        var gathered = Gathered()
        for file in files {
            let bytes = file == "-" ? try Self.standardInput() : try InputFile.bytes(file)
            let name = file == "-" ? "standard input" : file
            do {
                let digests = try LedgerDigest.list(json: bytes)
                gathered.digests += digests.map { StatedDigest($0, origin: name) }
                gathered.notes.append(Self.counted(digests.count, from: name))
            } catch {
                throw Failure("\(name): holds no digests (\(error.reason))")
            }
        }
        let urls = stores.urls
        guard !urls.isEmpty else { return gathered }
        guard let ledger else {
            gathered.notes.append("the stores were not asked: the database does not say which ledger it is")
            return gathered
        }
        try await stores.withStores(urls, collection: collection) { opened in
            for store in opened { await Self.gather(ledger, from: store, into: &gathered) }
        }
        return gathered
    }

    private static func gather(_ ledger: LedgerID, from store: any DigestArchive, into gathered: inout Gathered) async {
        let listing: DigestListing
        do {
            listing = try await store.listing(for: ledger)
        } catch {
            let message = Failure(describing: error)?.message ?? "\(error)"
            let reason = message.hasSuffix(".") ? String(message.dropLast()) : message
            gathered.findings.append(
                Finding(
                    .verifierBlocked, object: store.url, reason: "The digest store could not be read: \(reason)."))
            return
        }
        gathered.stores.append(store.url)
        for problem in listing.problems {
            guard problem.kind == .damaged else {
                gathered.notes.append("\(problem)")
                continue
            }
            gathered.findings.append(
                Finding(.readUntrusted, object: store.url, reason: "The digest store is damaged: \(problem)."))
        }
        if listing.digests.isEmpty { gathered.notes.append("\(store.url) holds no digest of this ledger") }
        let before = gathered.digests.count
        var proved = 0
        for stored in listing.digests {
            switch stored.receipt {
            case .none: break
            case .verified: proved += 1
            case .pending:
                gathered.notes.append("\(stored.origin): has no receipt yet and was not used")
                continue
            case .invalid(let reasons):
                gathered.findings.append(
                    Finding(
                        .readUntrusted, object: stored.origin, block: stored.digest.block,
                        reason: "The receipt of this digest does not prove it: \(reasons.joined(separator: "; "))."))
                continue
            }
            gathered.digests.append(StatedDigest(stored.digest, origin: stored.origin, store: store.url))
        }
        let count = gathered.digests.count - before
        guard count > 0 else { return }
        gathered.notes.append(
            Self.counted(count, from: store.url)
                + (proved > 0 ? ", each proved by its receipt against the pinned service certificate" : ""))
    }

    private static func counted(_ count: Int, from source: String) -> String {
        "\(count) digest\(count == 1 ? "" : "s") from \(source)"
    }

    private static func standardInput() throws -> [UInt8] {
        Array(try FileHandle.standardInput.readToEnd() ?? Data())
    }
}
