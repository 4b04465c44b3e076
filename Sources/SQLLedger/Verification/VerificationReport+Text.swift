extension VerificationReport {
    /// The report for people.
    public var text: String {
        var lines = [headline, ""]
        lines.append("  read       \(source)")
        if let ledger { lines.append("  ledger     \(ledger.hex)\(databaseName.map { " (\($0))" } ?? "")") }
        lines.append("  scope      \(scope)")
        lines.append(
            "  checked    \(counts.blocks) blocks, \(counts.transactions) transactions, \(counts.tables) tables, "
                + "\(counts.rowVersions) row versions, \(counts.leaves) hashes of rows")
        lines.append("  digests    \(digestsText)\(anchoredThrough.map { ", anchored through block \($0)" } ?? "")")
        if let digest = lastGoodDigest {
            lines.append("  last good  the digest of block \(digest.block), made \(digest.digestTime)")
        }
        if let digest = firstGoodDigest, digest != lastGoodDigest {
            lines.append("  earliest   the digest of block \(digest.block), made \(digest.digestTime)")
        }
        if let tail, tail.transactions > 0 {
            lines.append(
                "  tail       \(tail.transactions) \(tail.transactions == 1 ? "transaction" : "transactions") of "
                    + "\(Self.decimal(tail.seconds)) s after the newest digest \(tail.transactions == 1 ? "is" : "are") "
                    + "not attested by anything outside")
        }
        lines.append("  time       \(Self.decimal(seconds)) s, from \(startTime)")
        for finding in findings { lines += ["", finding.text] }
        if !notes.isEmpty { lines.append("") }
        for note in notes { lines.append("Note: \(note)") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The transactions that no digest from outside covers, with their verb; `nil` when there are none.
    package var unattested: String? {
        guard let tail, tail.transactions > 0 else { return nil }
        return tail.transactions == 1 ? "the newest transaction is" : "the newest \(tail.transactions) transactions are"
    }

    private var headline: String {
        switch verdict {
        case .verified:
            let block = anchoredThrough?.description ?? "?"
            let (part, rows) = partRead.map { (" IN PART", ", \($0): every row of this") } ?? ("", ": every row")
            // What came after the newest digest leads to none.
            let (limit, rest) = unattested.map { (" recorded up to there", "; \($0) in none yet") } ?? ("", "")
            return "VERIFIED\(part) up to block \(block)\(rows)\(limit) leads to a digest from outside\(rest)."
        case .tampered:
            let listed = findings.filter { $0.code.consequence == .tampered }
            let total = listed.reduce(0) { $0 + $1.count }
            let isOne = listed.count == 1
            let rest = total > listed.count ? ", which \(isOne ? "stands" : "stand") for \(total)" : ""
            return "TAMPERED: \(listed.count) \(isOne ? "finding" : "findings")\(rest)."
        case .unable where lacksOnlyAnAnchor:
            return "NOT ANCHORED: the ledger agrees with itself, but no digest from outside was given; "
                + "whoever can write the file could have written all of it."
        case .unable:
            return "UNABLE TO VERIFY: not everything could be checked."
        }
    }
}

extension Finding {
    /// Some lines for people.
    public var text: String {
        var head = "\(code.rawValue) \(object)"
        if !key.isEmpty {
            head += " [\(key.map { "\($0.name) = \($0.value.literal(limit: 80))" }.joined(separator: ", "))]"
        }
        if !columns.isEmpty {
            head += " \(columns.count == 1 ? "column" : "columns") \(columns.joined(separator: ", "))"
        }
        var lines = [head + " (\(certainty.rawValue))", "  \(reason)"]
        if let expected { lines.append("  expected   \(expected)") }
        if let found { lines.append("  found      \(found)") }
        if let transaction {
            var line = "  written in transaction \(transaction)"
            if let sequence { line += ", operation \(sequence)" }
            if let time { line += ", \(time)" }
            if let principal { line += ", by \(principal)" }
            lines.append(line)
        }
        if let block { lines.append("  block      \(block)") }
        if count > 1 { lines.append("  stands for \(count) findings") }
        if let lastGoodDigest { lines.append("  good until the digest of block \(lastGoodDigest)") }
        if let repair { lines.append("  repair     \(repair.text)") }
        return lines.joined(separator: "\n")
    }
}

extension RepairProposal {
    /// One line for people.
    public var text: String {
        let table = Self.name(table)
        let key = key.map { part in
            let collate = part.textCollation.map { " COLLATE \($0)" } ?? ""
            return "\(Self.name(part.name))\(collate) \(part.value == .null ? "IS" : "=") \(part.value.literal)"
        }.joined(separator: " AND ")
        let values = values.map { "\(Self.name($0.name)) = \($0.value.literal)" }.joined(separator: ", ")
        switch action {
        case .update where self.values.isEmpty: return "write the row of \(table) again WHERE \(key): \(explanation)"
        case .update: return "UPDATE \(table) SET \(values) WHERE \(key): \(explanation)"
        case .insert: return "INSERT INTO \(table): \(values): \(explanation)"
        case .delete: return "DELETE FROM \(table) WHERE \(key): \(explanation)"
        case .reindex: return "REINDEX \(table): \(explanation)"
        case .reinstall: return "install capture again: \(explanation)"
        case .impossible: return "not by a new change: \(explanation)"
        }
    }

    /// Quoted where SQL needs it.
    private static func name(_ name: String) -> String {
        let isPlain =
            name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || $0 < 0x80 && (isLetter($0) || isDigit($0)) }
            && name.utf8.first.map { !isDigit($0) } ?? false
        return isPlain ? name : name.quotedIdentifier
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
    private static func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 }
}
