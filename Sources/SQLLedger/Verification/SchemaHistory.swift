import LedgerProofs

/// All schema events of a ledger, arranged for the question which schema version a row version was created under.
public struct SchemaHistory: Sendable {
    /// One state of a table.
    public struct Version: Sendable {
        public var transaction: TransactionNumber
        /// Where the event is in the table of events.
        public var sequence: LeafNumber
        public var type: SchemaEventType
        public var description: TableDescription
        /// The digest that leaves carry.
        public var digest: Digest32
        /// The columns in leaves, in ordinal order.
        public var storedColumns: [SchemaColumn]
    }

    /// By table, in the order of the events.
    public private(set) var versions: [TableID: [Version]] = [:]

    /// Tables in the order of their ids.
    public private(set) var tables: [EvidenceTable] = []

    /// Whether every new table is to be a ledger table, as the newest settings event says.
    public private(set) var coversAllTables = false

    /// Where that event is.
    private var settings: RowStart?

    /// Events that could not be read, with the reason.
    public private(set) var unreadable: [(event: StoredSchemaEvent, reason: String)] = []

    public init() {}

    public init(reading next: () throws -> StoredSchemaEvent?) throws {
        while let stored = try next() { append(stored) }
        arrange()
    }

    private mutating func append(_ stored: StoredSchemaEvent) {
        // Stored numbers are read without a sign: below 0 they would be behind every event, and define the table.
        guard stored.isPlaced, 1...UInt64(Int64.max) ~= stored.transaction.rawValue,
            stored.sequence.rawValue <= UInt64(Int64.max)
        else {
            unreadable.append((stored, "its transaction or sequence number is none that an event can have"))
            return
        }
        guard case .integer(let type) = stored.type, case .integer(let table) = stored.table,
            case .text(let body) = stored.body
        else {
            unreadable.append((stored, "its type, table or body is not stored as the number or text that it is"))
            return
        }
        let event: SchemaEvent
        do throws(ProofError) {
            event = try SchemaEvent(type: type, table: table, body: body)
        } catch {
            unreadable.append((stored, error.reason))
            return
        }
        switch event.body {
        case .settings(let allTables):
            let place = RowStart(transaction: stored.transaction, sequence: stored.sequence)
            guard settings.map({ $0 < place }) ?? true else { break }
            (settings, coversAllTables) = (place, allTables)
        case .table(let description):
            let schema = description.schema(of: event.table)
            versions[event.table, default: []].append(
                Version(
                    transaction: stored.transaction, sequence: stored.sequence, type: event.type,
                    description: description, digest: schema.digest, storedColumns: schema.storedColumns))
        }
    }

    private mutating func arrange() {
        for (id, list) in versions {
            let sorted = list.sorted { ($0.transaction, $0.sequence) < ($1.transaction, $1.sequence) }
            versions[id] = sorted
            guard let last = sorted.last else { continue }
            tables.append(
                EvidenceTable(
                    id: id, name: last.description.table, isDropped: last.type == .drop,
                    generatedColumns: last.description.columns.filter { $0.generation != .none }.map(\.name)))
        }
        tables.sort { $0.id < $1.id }
    }

    /// The newest state of a table.
    public func newest(_ table: TableID) -> Version? { versions[table]?.last }

    /// The index in `versions[table]` of the state in which the version that was created at `start` was written.
    public static func index(at start: RowStart, in versions: [Version]) -> Int? {
        versions.lastIndex {
            $0.transaction < start.transaction
                || ($0.transaction == start.transaction && $0.description.after <= start.sequence)
        }
    }
}
