import LedgerProofs
import SQLLedger

/// The report of a verification as one page for an auditor: complete in itself, printable, without scripts. A pure
/// function of the report; everything that came from the database is escaped.
struct VerificationPage {
    private let report: VerificationReport
    private let program: String

    init(_ report: VerificationReport, program: String) {
        self.report = report
        self.program = program
    }

    var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>\(Self.escape("Verification of \(name)")): \(word)</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <header class="\(report.verdict.rawValue)">
        <p class="kind">Verification of a ledger database</p>
        <h1>\(Self.escape(name)): \(word)</h1>
        <p>\(meaning)</p>
        </header>
        <main>
        \(facts)
        \(findings)
        \(notes)
        \(limits)
        </main>
        <footer><p>Made by indelible \(Self.escape(program)) at \(report.startTime). Whoever has the database and the digests \
        can repeat this verification with <code>indelible sql verify</code>, or write another verifier from the format pages.</p></footer>
        </body>
        </html>

        """
    }

    private var name: String { report.databaseName ?? report.source }

    private var word: String {
        switch report.verdict {
        case .verified: report.partRead.map { "verified in part, \(Self.escape($0))" } ?? "verified"
        case .tampered: "tampered with"
        case .unable: report.lacksOnlyAnAnchor ? "not anchored" : "not everything could be checked"
        }
    }

    private var meaning: String {
        switch report.verdict {
        case .verified where report.partRead != nil:
            """
            Of the ledger \(Self.escape(report.partRead ?? "")) was read, every hash of it was computed again, and \(covered) lead to \
            a digest that was kept outside of the database.\(uncovered) Whether the rest was changed this verification cannot say.
            """
        case .verified:
            """
            Every row was read, its hash was computed again, and \(covered) lead to a digest that was kept \
            outside of the database. Nothing up to block \(anchor) was changed, \
            removed or added after that digest was made.\(uncovered)
            """
        case .tampered:
            "The database is not what its ledger recorded. What differs, where and since when is listed below."
        case .unable where report.lacksOnlyAnAnchor:
            """
            No digest from outside of the database anchors this result. Whoever can write the file could have written \
            all of it anew; that the ledger agrees with itself proves nothing.
            """
        case .unable:
            "Some of what had to be checked could not be read or was not covered. See below for what and why."
        }
    }

    private var anchor: String { report.anchoredThrough?.description ?? "?" }

    private var covered: String {
        report.unattested == nil ? "all of them" : "all that were recorded up to block \(anchor)"
    }

    private var uncovered: String {
        report.unattested.map {
            " But \($0) in no digest yet: whoever can write the file could have written "
                + "\(report.tail?.transactions == 1 ? "it" : "them") differently."
        } ?? ""
    }

    // MARK: Parts

    private var facts: String {
        var rows: [(String, String)] = []
        if let ledger = report.ledger { rows.append(("Ledger", "<code>\(ledger.hex)</code>")) }
        rows.append(("Read", Self.escape(report.source)))
        rows.append(("Scope", Self.escape(report.scope)))
        rows.append(("Time", "\(report.startTime), \(Self.decimal(report.seconds)) s"))
        rows.append(
            (
                "Checked",
                """
                \(report.counts.blocks) blocks, \(report.counts.transactions) transactions, \(report.counts.tables) \
                tables, \(report.counts.rowVersions) row versions, \(report.counts.leaves) row hashes
                """
            ))
        rows.append(("Digests", Self.escape(report.digestsText)))
        if let digest = report.lastGoodDigest { rows.append(("Newest good digest", Self.digest(digest))) }
        if let digest = report.firstGoodDigest, digest != report.lastGoodDigest {
            rows.append(("Oldest good digest", Self.digest(digest)))
        }
        if let block = report.anchoredThrough { rows.append(("Anchored through", "block \(block)")) }
        if let tail = report.tail, tail.transactions > 0 {
            rows.append(
                (
                    "Not yet attested",
                    tail.transactions == 1
                        ? "the newest transaction (\(Self.decimal(tail.seconds)) s): no digest covers it"
                        : "the newest \(tail.transactions) transactions (\(Self.decimal(tail.seconds)) s): no digest covers them"
                ))
        }
        let body = rows.map { "<tr><th scope=\"row\">\($0.0)</th><td>\($0.1)</td></tr>" }.joined(separator: "\n")
        return "<table class=\"facts\">\n\(body)\n</table>"
    }

    private var findings: String {
        guard !report.findings.isEmpty else { return "<h2>Findings</h2>\n<p>None.</p>" }
        let blocks = report.findings.map { finding in
            let kind =
                switch finding.code.consequence {
                case .none: "fine"
                case .unable: "unable"
                case .tampered: "tampered"
                }
            var title = "<code>\(finding.code.rawValue)</code> \(Self.escape(finding.object))"
            if !finding.key.isEmpty {
                title +=
                    " <span class=\"key\">\(Self.escape(finding.key.map { "\($0.name) = \($0.value.literal(limit: 120))" }.joined(separator: ", ")))</span>"
            }
            var rows: [(String, String)] = []
            if !finding.columns.isEmpty {
                rows.append(("Columns", Self.escape(finding.columns.joined(separator: ", "))))
            }
            let (expected, found) = finding.told
            if let expected { rows.append(("Expected", "<code>\(Self.escape(expected))</code>")) }
            if let found { rows.append(("Found", "<code>\(Self.escape(found))</code>")) }
            if let transaction = finding.transaction {
                var text = "\(transaction)"
                if let sequence = finding.sequence { text += ", operation \(sequence)" }
                rows.append(("Written in transaction", text))
            }
            if let time = finding.time { rows.append(("At", "\(time)")) }
            if let principal = finding.principal { rows.append(("By", Self.escape(principal))) }
            if let block = finding.block { rows.append(("Block", "\(block)")) }
            if let good = finding.lastGoodDigest { rows.append(("Still right in the digest of", "block \(good)")) }
            if finding.count > 1 { rows.append(("Stands for", "\(finding.count) findings")) }
            rows.append(("Certainty", finding.certainty == .proven ? "proven by hashes" : "likeliest explanation"))
            if let repair = finding.repair { rows.append(("Repair", Self.escape(repair.text))) }
            let body = rows.map { "<tr><th scope=\"row\">\($0.0)</th><td>\($0.1)</td></tr>" }.joined(separator: "\n")
            return """
                <section class="finding \(kind)">
                <h3>\(title)</h3>
                <p>\(Self.escape(finding.reason))</p>
                <table>
                \(body)
                </table>
                </section>
                """
        }
        return "<h2>Findings (\(report.findings.count))</h2>\n" + blocks.joined(separator: "\n")
    }

    private var notes: String {
        guard !report.notes.isEmpty else { return "" }
        return "<h2>Notes</h2>\n<ul>\n"
            + report.notes.map { "<li>\(Self.escape($0))</li>" }.joined(separator: "\n") + "\n</ul>"
    }

    private var limits: String {
        """
        <h2>What this shows, and what not</h2>
        <ul>
        <li>It shows whether what the ledger tables and their history hold is what was recorded when it was written.</li>
        <li>It does not show that what was written was true, nor who stood behind a principal that an application named.</li>
        <li>Transactions after the newest digest from outside could still be rewritten by whoever can write the file.</li>
        <li>It rests on SHA-256, on the digests having been out of reach of whoever could write the database, and on the \
        program that verified.</li>
        </ul>
        """
    }

    // MARK: Text

    private static func digest(_ digest: LedgerDigest) -> String {
        "block \(digest.block), <code>\(digest.hash.hex)</code>, made \(digest.digestTime)"
    }

    private static func decimal(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return "?" }
        let hundredths = Int64((value * 100).rounded())
        let digits = String(100 + hundredths.magnitude % 100).dropFirst()
        return "\(hundredths < 0 ? "-" : "")\(hundredths.magnitude / 100).\(digits)"
    }

    /// For text and attribute values. Control characters become visible, so that they can do nothing.
    static func escape(_ text: String) -> String {
        var safe = ""
        for scalar in PlainText.of(text).unicodeScalars {
            switch scalar {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"": safe += "&quot;"
            case "'": safe += "&#39;"
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }

    private static let style = """
        :root { color-scheme: light; --line: #d0d7de; --quiet: #57606a; }
        * { box-sizing: border-box; }
        body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1f2328; background: #fff; }
        header, main, footer { max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
        header { border-left: .5rem solid; margin-top: 1.5rem; }
        header.verified { border-color: #1a7f37; background: #dafbe1; }
        header.tampered { border-color: #b31d28; background: #ffebe9; }
        header.unable { border-color: #9a6700; background: #fff8c5; }
        h1 { margin: .2rem 0; font-size: 1.7rem; overflow-wrap: anywhere; }
        h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
        h3 { margin: 0 0 .3rem; font-size: 1rem; overflow-wrap: anywhere; }
        .kind, footer { color: var(--quiet); font-size: .9rem; margin-bottom: 0; }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-top: 1px solid var(--line); \
        overflow-wrap: anywhere; }
        th { width: 14rem; font-weight: 600; color: var(--quiet); }
        th, td, code, h3 { white-space: pre-wrap; }
        code, .key { font: .9em ui-monospace, monospace; }
        .finding { border: 1px solid var(--line); border-left: .4rem solid #9a6700; padding: .8rem 1rem; margin: .8rem 0; \
        break-inside: avoid; }
        .finding.tampered { border-left-color: #b31d28; }
        .finding.fine { border-left-color: #1a7f37; }
        @media print { body { font-size: 11pt; } header, main, footer { padding: .5rem 0 .5rem .8rem; max-width: none; } \
        * { print-color-adjust: exact; } }
        """
}
