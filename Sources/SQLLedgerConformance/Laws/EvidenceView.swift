import SQLLedger

/// Everything small of one evidence, read once through the contract.
struct EvidenceView {
    let evidence: any LedgerEvidence
    let readers: [any LedgerEvidenceReader]
    let reader: any LedgerEvidenceReader
    let identity: EvidenceIdentity
    let ledger: LedgerID
    let blocks: [StoredBlock]
    let transactions: [StoredTransaction]
    /// As far as they can be decoded.
    let entries: [TransactionEntry]
    let history: SchemaHistory
    /// The entries of transactions that changed rows of the suite's tables, in order.
    let changes: [TransactionEntry]
    let tables: [String: EvidenceTable]

    init(_ evidence: any LedgerEvidence, readers count: Int = 1, tables names: Set<String>) throws {
        self.evidence = evidence
        readers = try evidence.makeReaders(count)
        guard readers.count == count, let reader = readers.first else {
            throw ConformanceError(reason: "\(readers.count) readers instead of \(count)")
        }
        self.reader = reader
        guard let identity = try reader.identity(), let ledger = identity.ledger else {
            throw ConformanceError(reason: "no identity")
        }
        (self.identity, self.ledger) = (identity, ledger)
        blocks = try Self.all(reader.blocks(from: BlockID(0)))
        transactions = try Self.all(reader.transactions(from: TransactionNumber(1)))
        entries = transactions.compactMap { $0.entry(of: ledger).entry }
        history = try SchemaHistory(reading: reader.schemaEvents())
        var tables: [String: EvidenceTable] = [:]
        for table in history.tables where names.contains(table.name) { tables[table.name] = table }
        self.tables = tables
        let ids = Set(tables.values.map(\.id))
        changes = entries.filter { $0.tableHashes.tables.contains { ids.contains($0.table) } }
    }

    /// A stream to its end. No history of the suite is near the limit.
    static func all<T>(_ next: () throws -> T?, limit: Int = 10_000) throws -> [T] {
        var all: [T] = []
        while let element = try next() {
            guard all.count < limit else { throw ConformanceError(reason: "a stream does not end") }
            all.append(element)
        }
        return all
    }

    /// All stored versions of a table, from `parts` parts.
    func versions(of table: EvidenceTable, parts: Int = 1, on other: (any LedgerEvidenceReader)? = nil) throws
        -> [RowVersion]
    {
        var versions: [RowVersion] = []
        for part in try (other ?? reader).partitions(of: table, count: parts, after: nil) {
            try (other ?? reader).versions(part, wanted: { _ in true }) { versions.append($0) }
        }
        return versions
    }

    /// The stored chunks of a tree of `count` leaves, put together.
    func leaves(_ count: UInt64, chunk: (UInt64) throws -> [UInt8]?) throws -> [LeafChunk.Leaf] {
        let size = UInt64(LeafChunk.leafCount)
        var leaves: [LeafChunk.Leaf] = []
        for number in 0..<((count + size - 1) / size) {
            guard let bytes = try chunk(number) else { throw ConformanceError(reason: "chunk \(number) is missing") }
            let found = try LeafChunk(decoding: bytes).leaves
            guard found.count == Int(min(size, count - number * size)) else {
                throw ConformanceError(reason: "chunk \(number) has \(found.count) leaves")
            }
            leaves += found
        }
        return leaves
    }
}
