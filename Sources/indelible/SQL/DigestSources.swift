import ArgumentParser
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
            "A transaction may be in no digest for this long: 90s, 15m, 24h, 7d.", valueName: "time"))
    var maxDigestAge: TimeSpan?

    @Option(
        help: ArgumentHelp(
            "The first digest that covers a transaction may have been made this long after it.", valueName: "time"))
    var maxDigestGap: TimeSpan?

    @Option(
        help: ArgumentHelp(
            "At most this many transactions may be covered by no digest yet. (default: any number)", valueName: "count")
    )
    var maxTail: UInt64?

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

    /// Reads files, and asks stores for the digests of `ledger`, of block `first` and later ones.
    func gather(
        ledger: LedgerID?, collection: String?, since first: BlockID = BlockID(0)
    ) async throws -> GatheredDigests {
        var gathered = GatheredDigests()
        for file in files { gathered.add(try KeptDigests.read(file), from: KeptDigests.name(file)) }
        let urls = stores.urls
        guard !urls.isEmpty else { return gathered }
        guard let ledger else {
            gathered.note("the stores were not asked: the database does not say which ledger it is")
            return gathered
        }
        try await stores.withStores(urls, collection: collection) { opened in
            for store in opened { await gathered.add(digestsOf: ledger, from: store, since: first) }
        }
        return gathered
    }

    /// The files that are read.
    var inputs: [String] { files.filter { $0 != "-" } + stores.credentials.files.paths }
}
