import ArgumentParser
import Foundation
import LedgerClient
import SQLLedger
import SQLLedgerDigests
import SQLLedgerGRDB
import SQLLedgerSQLite

/// `indelible evidence export`
struct EvidenceExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the proof of rows and entries into one file.",
        discussion: """
            The file holds the values of the named row, or entry, with everything between them and the service \
            certificate: paths to the digest, the entry that stores it, its receipt. No other row is in it, but hashes of \
            its neighbours are. It is verified before it is written. --key names the columns of the key in order, or NAME=VALUE (x'00ff' \
            is a BLOB); repeated --row options take more rows of the table (columns of a key separated by commas, except in \
            'quotes').

            EXAMPLES
              indelible evidence export app.db --table accounts --key 17 --out row.json \\
                  --store 'https://127.0.0.1:8443?collection=app' --data ./data
              indelible evidence export app.db --table accounts --row 17 --row 18 \\
                  --version all --digest digest.json --out rows.json
              indelible evidence export --entry 2.15 --data ./data --out entry.json
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL. Needed for rows.", valueName: "db"))
    var database: String?

    @Option(help: "The table of the rows.")
    var table: String?

    @Option(
        name: .customLong("key"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("The row with this key; repeat it for a key of several columns.", valueName: "value"))
    var keys: [String] = []

    @Option(
        name: .customLong("row"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("The row with this key, its columns separated by commas. Repeatable.", valueName: "key"))
    var rows: [String] = []

    @Option(help: ArgumentHelp("all, current, or a number counted from the oldest version.", valueName: "version"))
    var version = VersionArgument(.current)

    @Flag(help: "Add the recorded schema, which proves the name of the table.")
    var withSchema = false

    @Option(
        name: .customLong("entry"),
        help: ArgumentHelp("An entry of the confidential ledger, by its transaction id. Repeatable.", valueName: "id"))
    var entries: [TransactionArgument] = []

    @Option(help: ArgumentHelp("The collection of the entries. (default: whatever it is in)", valueName: "name"))
    var entryCollection: String?

    @Option(
        help: ArgumentHelp(
            "The ledger of the entries. (env INDELIBLE_URL, default https://127.0.0.1:8443)", valueName: "url"))
    var url: String?

    @Option(name: .customLong("out"), help: ArgumentHelp("Where to write; - is standard output.", valueName: "file"))
    var file: String

    @OptionGroup var kept: KeptDigests
    @OptionGroup var stores: StoreOptions
    @OptionGroup var output: JSONOption

    private struct Result: Encodable {
        var file: String
        var bytes: Int
        var rows: Int
        var entries: Int
        var verdict: String
    }

    /// Where the ledger has an operation.
    private struct Place: Hashable {
        var table: TableID
        var transaction: TransactionNumber
        var sequence: LeafNumber

        init(_ row: EvidenceRow) {
            table = row.schema.table
            transaction = row.transaction.id
            sequence = row.sequence
        }
    }

    func validate() throws {
        if table == nil, entries.isEmpty { throw ValidationError("give --table and --key, or --entry") }
        if table != nil, database == nil { throw ValidationError("--table: name the database first") }
        if table != nil, keys.isEmpty == rows.isEmpty { throw ValidationError("--table: give --key or --row") }
        if table == nil, !keys.isEmpty || !rows.isEmpty { throw ValidationError("--key and --row need --table") }
    }

    func run() async throws {
        let location = try database.map { try DatabaseLocation($0) }
        let files = location.map { [$0.path] + $0.companions } ?? []
        try OutputFile.check(
            file, "--out", isNoneOf: files + kept.files.filter { $0 != "-" } + stores.credentials.files.paths,
            norBelow: stores.folders)
        // Once: standard input and pipes end.
        let own = try kept.digests()
        let pin = try stores.credentials.files.serviceCertificatePEM()
        var bundle = EvidenceBundle(database: nil, items: [], serviceCertificate: pin)
        if let location, let table { try await addRows(of: table, in: location, own, to: &bundle) }
        if !entries.isEmpty { bundle.items += try await entryItems() }
        let bytes = try bundle.encoded()
        let service = try pin.map { try EvidenceVerify.service(pem: $0, name: "the service certificate") }
        let report = EvidenceVerifier(service: service, trustedDigests: own.map(\.digest))
            .verify(try UnverifiedEvidenceBundle(json: bytes))
        guard report.verdict != .failed else {
            let failed = report.subjects.flatMap(\.steps).filter(\.hasFailed)
            let reasons = failed.map { "\($0.name.rawValue): \($0.detail)" }.joined(separator: "; ")
            throw Failure("the evidence does not verify: \(reasons)", status: .proofFailed)
        }
        if OutputFile.isStandardOutput(file) { return Output.bytes(bytes + [UInt8(ascii: "\n")]) }
        try OutputFile.write(bytes, to: file)
        let rowCount = bundle.items.count { if case .row = $0 { true } else { false } }
        if output.json {
            Output.json(
                Result(
                    file: file, bytes: bytes.count, rows: rowCount, entries: entries.count,
                    verdict: report.verdict.rawValue))
            return
        }
        Output.line("\(Style.good("ok")) \(report.summary); \(bytes.count) bytes written to \(PlainText.of(file))")
        if report.verdict == .unanchored {
            Output.diagnostic("nothing in it vouches for the digest: whoever verifies it needs that digest from you")
        }
    }

    private func addRows(
        of table: String, in location: DatabaseLocation, _ own: [StoredDigest], to bundle: inout EvidenceBundle
    ) async throws {
        let session = try SQLSession(location, mode: .readOnly)
        try LedgerStatus.requireIdentity(session, location.path)
        let wanted =
            keys.isEmpty
            ? rows.map(KeyFilter.words) : [keys]
        let named = try LedgerStatus(session).tables.filter { SQLName.same($0.name, table) }
        let dropped = named.contains { !$0.isDropped } ? nil : named.last.map { "ledger_history_\($0.tableId)" }
        let filters = try wanted.map { try KeyFilter($0, table: table, source: dropped, session: session) }
        if dropped != nil, filters.contains(where: \.usesRowID) {
            throw Failure("--key: \(table) was dropped, so it has no key any more; name a column with NAME=VALUE")
        }
        let (found, ledger, name) = try session.exporting { exporter in
            var found: [EvidenceRow] = []
            var places: Set<Place> = []
            for filter in filters {
                let proved = try exporter.rows(
                    table: table, key: filter.key, versions: version.selection, withSchema: withSchema)
                for row in proved where places.insert(Place(row)).inserted { found.append(row) }
                guard found.count + entries.count <= EvidenceBundle.maximumItemCount else {
                    throw Failure(
                        "the versions take more than the \(EvidenceBundle.maximumItemCount) items that one file of evidence "
                            + "holds; name fewer rows, or single versions with --version")
                }
            }
            return (found, exporter.ledger, exporter.databaseName)
        }
        let blocks = Set(found.map(\.block))
        var (digests, silent) = try await digests(own, of: ledger, session, covering: blocks)
        // Whoever may write to a store can put a digest there that is none of this database.
        let source = DatabaseDigests(session: session)
        var isSure = !digests.isEmpty
        for stored in digests where isSure {
            isSure = (try? await source.digest(of: stored.digest.block))?.hash == stored.digest.hash
        }
        if !isSure { (digests, silent) = try await self.digests(own, of: ledger, session, covering: nil) }
        let covered: (blocks: [EvidenceBlock], digests: [EvidenceDigest])
        do {
            guard !digests.isEmpty else {
                throw Failure(
                    "no digest: name the store that holds them with --store URL, or a file with --digest FILE")
            }
            covered = try session.exporting { [digests] in try $0.cover(found, with: digests) }
        } catch {
            // A store that was not heard may have what is missing.
            guard !silent.isEmpty, let failure = Failure(describing: error) else { throw error }
            throw Failure(lines: failure.lines + silent, status: failure.status)
        }
        for reason in silent { Output.diagnostic("warning: \(PlainText.of(reason))") }
        bundle.database = EvidenceBundle.Database(ledger: ledger, name: name)
        bundle.items = found.map { .row($0) }
        bundle.blocks = covered.blocks
        bundle.digests = covered.digests
    }

    /// Those of files, then of stores: all of them, or those next to `blocks`. And why stores could not be read: none holds up
    /// what another one has.
    private func digests(
        _ own: [StoredDigest], of ledger: LedgerID, _ session: SQLSession, covering blocks: Set<BlockID>?
    ) async throws -> (digests: [StoredDigest], failures: [String]) {
        let urls = stores.urls
        guard !urls.isEmpty else { return (own, []) }
        let answers = try await stores.withStores(urls, collection: try LedgerStatus.collection(session)) { opened in
            await withTaskGroup(of: (place: Int, digests: [StoredDigest], failure: String?).self) { group in
                for (place, store) in opened.enumerated() {
                    group.addTask {
                        do {
                            guard let blocks else {
                                let all = try await store.listing(for: ledger).digests
                                return (place, all.filter(\.isUsable), nil)
                            }
                            return (place, try await store.digests(for: ledger, covering: blocks), nil)
                        } catch {
                            return (place, [], "\(store.url): could not be read (\(error))")
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }.sorted { $0.place < $1.place }
            }
        }
        return (own + answers.flatMap(\.digests), answers.compactMap(\.failure))
    }

    private func entryItems() async throws -> [EvidenceItem] {
        var connection = ConnectionOptions()
        connection.url = url
        connection.credentials = stores.credentials
        connection.http1 = false
        return try await connection.withClient { client in
            var items: [EvidenceItem] = []
            for wanted in entries {
                let entry = try await client.entry(wanted.id, collectionID: entryCollection)
                let proved = try await client.verifiedReceipt(
                    for: entry.transactionID, collectionID: entry.collectionID, contents: entry.contents)
                let place = DigestEntry(
                    collectionID: entry.collectionID, contents: entry.contents, transactionID: entry.transactionID)
                items.append(
                    .entry(EvidenceReceipt(entry: place, document: String(decoding: proved.answer.json, as: UTF8.self)))
                )
            }
            return items
        }
    }
}
