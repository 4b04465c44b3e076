import LedgerProofs
import SQLLedger

extension VerificationReport {
    /// The report with every text of others as `PlainText`: before they are joined, so that what ends a line in the report
    /// is the report's own. Values stay what they are: their literals are plain.
    var plain: VerificationReport {
        var report = self
        report.source = PlainText.of(source)
        report.databaseName = databaseName.map(PlainText.of)
        report.tables = tables?.map(PlainText.of)
        report.findings = findings.map(\.plain)
        report.notes = notes.map(PlainText.of)
        return report
    }
}

extension Finding {
    /// What was expected and what was found, for people: they see that it differs.
    var told: (expected: String?, found: String?) {
        let told = (expected: expected.map(PlainText.visible), found: found.map(PlainText.visible))
        // Equal are also texts that are encoded differently, such as one letter and a letter with an accent.
        guard let expected, let found, told.expected == told.found, !expected.utf8.elementsEqual(found.utf8)
        else { return told }
        return (told.expected.map { $0 + Self.encoding(expected) }, told.found.map { $0 + Self.encoding(found) })
    }

    private static func encoding(_ text: String) -> String { " (in UTF-8: \(Hex.encode(Array(text.utf8))))" }

    fileprivate var plain: Finding {
        var finding = self
        finding.object = PlainText.of(object)
        finding.key = key.map(\.plain)
        finding.columns = columns.map(PlainText.of)
        finding.principal = principal.map(PlainText.of)
        (finding.expected, finding.found) = told
        finding.reason = PlainText.of(reason)
        finding.repair = repair?.plain
        return finding
    }
}

extension RepairProposal {
    fileprivate var plain: RepairProposal {
        var proposal = self
        proposal.table = PlainText.of(table)
        proposal.key = key.map(\.plain)
        proposal.values = values.map(\.plain)
        proposal.explanation = PlainText.of(explanation)
        return proposal
    }
}

extension NamedValue {
    fileprivate var plain: NamedValue {
        var plain = self
        plain.name = PlainText.of(name)
        plain.collation = collation.map(PlainText.of)
        return plain
    }
}
