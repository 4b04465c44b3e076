import SQLLedger

/// Looks for texts, in databases that store UTF-16, whose leaf does not say how they are stored, because it is that of their UTF-8
/// form. The conversion leaves out half a unit at the end of a text, which searches compare and SQLite never stores. Of half a
/// surrogate pair and whichever unit follows it makes the character of a pair: others' texts can have such halves, honestly, but then
/// nobody can tell them from the pair.
struct EncodingCheck {
    let table: String
    let reader: SQLiteEvidenceReader
    let findings: FindingCollector

    func run() throws {
        let objects = try reader.objects()
        guard let found = objects.object("table", table), !found.isVirtual,
            let encoding = try reader.connection.value("PRAGMA main.encoding")?.string, encoding != "UTF-8"
        else { return }
        let columns = try TableColumns(table, reader.connection).columns.filter { $0.generation != 2 }.map(\.name)
        guard !columns.isEmpty else { return }
        let texts = columns.map(SQLName.quoted).map { "CASE typeof(\($0)) WHEN 'text' THEN CAST(\($0) AS BLOB) END" }
        let isWithoutRowID = try objects.ordinaryTable(table)?.isWithoutRowID == true
        let way = isWithoutRowID ? try reader.throughKey(of: table) : "NOT INDEXED"
        let statement = try reader.connection.prepare(
            "SELECT \(texts.joined(separator: ", ")) FROM main.\(SQLName.quoted(table)) \(way)")
        var limit = RowLimit(try reader.rowLimit(), table)
        var cut = [UInt64](repeating: 0, count: columns.count)
        var unpaired = cut
        while try statement.step() {
            try limit.count()
            for column in columns.indices {
                guard case .blob(let bytes) = statement.value(column) else { continue }
                if bytes.count % 2 == 1 { cut[column] += 1 }
                if Self.hasHalfPair(bytes, isBigEndian: encoding == "UTF-16be") { unpaired[column] += 1 }
            }
        }
        report(
            .encodingDrift, columns, cut,
            "texts end with half a character, which is not what was recorded: searches do not find them")
        report(
            .verifierBlocked, columns, unpaired,
            "texts have half a surrogate pair before another character: they hash like the text with the whole pair, so they may be "
                + "what was recorded, or may have been altered")
    }

    private func report(_ code: Finding.Code, _ columns: [String], _ counts: [UInt64], _ reason: String) {
        let found = columns.indices.filter { counts[$0] > 0 }
        guard !found.isEmpty else { return }
        findings.report(
            Finding(
                code, object: table, columns: found.map { columns[$0] }, reason: reason,
                count: found.reduce(0) { $0 + counts[$1] }))
    }

    /// A half that is the last unit converts to itself.
    private static func hasHalfPair(_ bytes: [UInt8], isBigEndian: Bool) -> Bool {
        func unit(_ place: Int) -> UInt16 {
            let (first, second) = (UInt16(bytes[place]), UInt16(bytes[place + 1]))
            return isBigEndian ? first << 8 | second : second << 8 | first
        }
        var place = 0
        while place + 3 < bytes.count {
            guard unit(place) & 0xF800 == 0xD800 else {
                place += 2
                continue
            }
            guard unit(place) & 0x0400 == 0, unit(place + 2) & 0xFC00 == 0xDC00 else { return true }
            place += 4
        }
        return false
    }
}
