import ArgumentParser
import Foundation
import SQLLedger
import SQLLedgerDigests

/// `indelible sql verify`
struct SQLVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify a database against digests that were kept elsewhere.",
        discussion: """
            Reads the file, never writes it, computes every hash again and reports every inconsistency with its table, \
            key, column, transaction, time and principal, and how to repair it. Nothing in the database is trusted: \
            without digests from a file or a store nothing anchors the result, which is said, and the exit code is 2. \
            Receipts of digests in a confidential ledger are checked against the pinned service certificate.

            What this machine verified last is kept outside of the database, per ledger: the newest digest of a run over \
            the whole database with the verdict "verified". Where the same file is verified again, it is compared with that \
            digest, too, so that an older state of it is named whatever the stores hold; delete the file that the report \
            names if that state was put back on purpose. --since-last continues from it. Older rows are not read again then: \
            run without it from time to time.

            Exit codes: 0 verified, 1 tampering was found, 2 unable to tell.

            EXAMPLES
              indelible sql verify app.db --store file:///mnt/worm/digests
              indelible sql verify app.db \\
                  --store 'https://127.0.0.1:8443?collection=app' --data ./data
              indelible sql verify app.db --digest digests.json --table accounts \\
                  --html report.html
              indelible sql verify app.db --store file:///mnt/worm/digests \\
                  --since-last --max-digest-age 24h --json
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @OptionGroup var sources: DigestSources

    @Option(
        name: .customLong("table"),
        help: ArgumentHelp("Only this table; what was not read is not called verified. Repeatable.", valueName: "name"))
    var tables: [String] = []

    @Flag(help: "Only what came after the last verification on this machine.")
    var sinceLast = false

    @OptionGroup var state: VerifiedStateOptions

    @Option(help: ArgumentHelp("Threads that read and hash. (default: one for each core)", valueName: "count"))
    var jobs: Int?

    @Option(
        help: ArgumentHelp(
            "Write the report as a page for people, too; - prints the page instead of the report.", valueName: "file"))
    var html: String?

    @OptionGroup var output: JSONOption

    func validate() throws {
        if let jobs, !(1...256).contains(jobs) { throw ValidationError("--jobs: \(jobs) is not 1 to 256") }
        if isPageShown, output.json { throw ValidationError("--html -: standard output holds what --json prints") }
    }

    func run() async throws {
        let location = try DatabaseLocation(database)
        let (ledger, collection) = try LedgerVerification.ledger(of: location)
        try checkOutputs(location, ledger)
        let policy = try sources.policy(collection: collection)
        let recalled = try recall(ledger, of: location)
        // What the last verification covers is not asked for again, unless it is not there any more.
        var first = BlockID(0)
        if case .start(let digest, isThere: true) = recalled { first = digest.block }
        var gathered = try await sources.gather(
            ledger: try sources.expectedLedger() ?? ledger, collection: collection, since: first)
        var options = VerificationOptions()
        options.tables = tables.isEmpty ? nil : tables
        options.jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
        options.expectedLedger = try sources.expectedLedger()
        options.policy = policy
        use(recalled, of: ledger, &gathered, &options)
        let report = try LedgerVerification(location: location, options: options).run(gathered)
        let page = html == nil ? nil : Array(VerificationPage(report, program: ProgramVersion.text).html.utf8)
        if output.json {
            Output.json(text: report.json)
        } else if let page, isPageShown {
            Output.bytes(page)
        } else {
            Output.bytes(Array(LedgerVerification.painted(report).utf8))
        }
        // The verdict is out and stands, whatever cannot be written.
        let isPageMissing = !writePage(page)
        remember(report, of: location)
        switch report.verdict {
        case .verified: if isPageMissing { throw ExitStatus.unableToTell }
        case .tampered: throw ExitStatus.proofFailed
        case .unable: throw ExitStatus.unableToTell
        }
    }

    /// Errors: a `Failure` where what is written would replace what is read.
    private func checkOutputs(_ location: DatabaseLocation, _ ledger: LedgerID?) throws {
        let inputs = [location.path] + location.companions + sources.inputs
        if let file = state.file {
            try OutputFile.check(file, "--state", isNoneOf: inputs, norBelow: sources.stores.folders)
        }
        if let html {
            let kept = ledger.map { [state.path(ledger: $0.hex)] } ?? []
            try OutputFile.check(html, "--html", isNoneOf: inputs + kept, norBelow: sources.stores.folders)
        }
    }

    /// What this machine verified last, as far as it concerns this file.
    private enum Recalled {
        /// Nothing was verified, or nothing of that is asked for.
        case nothing
        /// `--since-last` continues from it. Whether the file still leads to it.
        case start(LedgerDigest, isThere: Bool)
        /// A whole verification must still lead to it.
        case witness(LedgerDigest)
        /// Only another file was verified; a copy may lag behind.
        case elsewhere(VerifiedState)
    }

    private func recall(_ ledger: LedgerID?, of location: DatabaseLocation) throws -> Recalled {
        guard let ledger, tables.isEmpty || sinceLast, let last = try state.load(ledger: ledger.hex) else {
            return .nothing
        }
        let own = last.mark(of: location.names)?.digest
        guard sinceLast else { return own.map { .witness($0) } ?? .elsewhere(last) }
        let newest = last.newest.digest
        let isThere = LedgerVerification.reproduces(newest, location)
        // An older build named no files.
        if isThere || last.files.isEmpty || own == newest { return .start(newest, isThere: isThere) }
        return own.map { .start($0, isThere: false) } ?? .elsewhere(last)
    }

    private func use(
        _ recalled: Recalled, of ledger: LedgerID?, _ gathered: inout GatheredDigests,
        _ options: inout VerificationOptions
    ) {
        let origin = ledger.map { state.path(ledger: $0.hex) } ?? ""
        switch recalled {
        case .nothing:
            if sinceLast, ledger != nil {
                gathered.note("nothing was verified before on this machine: everything was read")
            }
        case .start(let digest, _):
            options.since = digest
            options.digests.append(StatedDigest(digest, origin: origin))
        case .witness(let digest):
            guard !gathered.digests.contains(where: { $0.digest == digest }) else { return }
            options.verifiedBefore = StatedDigest(digest, origin: origin)
            gathered.note(
                "compared also with the digest of block \(digest.block), which this machine verified last: \(origin)")
        case .elsewhere(let last):
            gathered.note(
                "not compared with block \(last.newest.digest.block), which this machine verified last of this ledger, in "
                    + (last.newestFile ?? "a file that an older build did not name")
                    + (sinceLast ? ": everything was read" : ""))
        }
    }

    /// Whether the page goes to standard output, in the place of the report.
    private var isPageShown: Bool { html.map(OutputFile.isStandardOutput) ?? false }

    /// `false` when the page that was asked for could not be written.
    private func writePage(_ page: [UInt8]?) -> Bool {
        guard let page, let html, !isPageShown else { return true }
        do {
            try OutputFile.write(page, to: html)
            return true
        } catch {
            Output.error(PlainText.of("--html: \(error)"))
            return false
        }
    }

    /// For the verifications to come.
    private func remember(_ report: VerificationReport, of location: DatabaseLocation) {
        guard report.tables == nil, let digest = report.resumeDigest else { return }
        do {
            try VerifiedState.add(
                .init(digest: digest, time: report.startTime.description), of: location.names,
                to: state.path(ledger: digest.ledger.hex))
        } catch {
            Output.diagnostic(
                PlainText.of("warning: what was verified cannot be kept for the next verification: \(error)"))
        }
    }
}
