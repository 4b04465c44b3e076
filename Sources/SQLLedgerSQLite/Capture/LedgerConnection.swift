import CSQLiteLedger
import LedgerProofs
import SQLLedger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The ledger's state of one database of an SQLite connection, `main` or an attached one. SQLite serialises all calls on a
/// connection, so nothing here is locked; SQLite owns the object of `main` through what it has registered, and that one
/// the others.
final class LedgerConnection {
    let db: SQLiteConnection
    /// That of `main`, for the ledger of an attached database.
    unowned let root: LedgerConnection?

    // Those of attached databases, only in that of `main`; see `LedgerConnection+Attached`.
    @exclusivity(unchecked) var attached: [LedgerConnection] = []
    /// The names that their databases are attached under. Owned.
    var attachedNames: [UnsafeMutablePointer<CChar>?] = []
    /// Whose row operation SQLite announced last: a place in `attached`, `nil` for `main`.
    @exclusivity(unchecked) var announcer: Int?
    /// Whose trigger called last.
    @exclusivity(unchecked) var activePlace: Int?
    /// How often SQLite had compiled `readCookie` anew when an attached database was looked at.
    var cookieReprepares: Int32 = 0

    /// On whose behalf and through which program the next transactions are.
    var principal: String? { didSet { forgetBoundNames() } }
    var application: String? { didSet { forgetBoundNames() } }
    let guardsObjects: Bool

    /// Ledger tables that are not dropped. A slot is never given to another table.
    @exclusivity(unchecked) var tables: [TableState] = []
    /// Table 0, whose rows are the schema events.
    let eventLeaves: TableState
    /// Slot by table id, -1 for unknown ones.
    @exclusivity(unchecked) var slots: [Int] = []
    /// The numbers of all ledger tables, dropped ones included.
    var knownIDs: Set<TableID> = []
    /// Slot by folded name.
    var slotsByName: [String: Int] = [:]
    /// The table that the pre-update hook saw last, with its name as C text.
    @exclusivity(unchecked) var lastSlot = -1
    /// Its name. Not owned.
    @exclusivity(unchecked) var lastName: UnsafeMutablePointer<CChar>?
    /// The names of `tables` as C text, by slot. Owned.
    var names: [UnsafeMutablePointer<CChar>?] = []
    /// The name that was looked up last and is no ledger table's. Owned.
    var lastStranger: UnsafeMutablePointer<CChar>?
    /// How many of its changes were announced in the transaction.
    var lastStrangerChanges = 0

    /// The ledger, once it is known that there is one.
    var ledger: LedgerID?
    var allTables = false
    /// The database's encoding, once there is a ledger.
    var isUTF8 = false
    /// The schema cookie that `tables` were read under.
    var cookie: Int64 = -1
    /// Something was rolled back or changed that `tables` may depend on.
    var isStale = true
    /// SQLite's file of the main database when it told the ledger about a transaction, and the newest count of its commits.
    var enlistedFile: UnsafeRawPointer?
    var enlistedVersion: UInt32 = 0
    /// A table is being made a ledger table by name: no others join.
    var isEnabling = false
    /// Tables wait to join: for the commit, or for a call of one of the ledger's functions.
    var hasNewTables = false
    /// A statement that changes definitions was prepared, and the schema was not compared since.
    var sawDefinition = false
    /// How many frames of the WAL SQLite would make a checkpoint at by itself, had its hook not been taken.
    var checkpointFrames: Int32 = 1_000
    /// SQLite is closing the connection: no statement may be kept.
    var isClosing = false
    /// The schema was compared with what is ledgered since the connection was opened.
    var hasLooked = false
    // The running transaction.
    /// SQLite tells us about savepoints and the end of the running transaction.
    var isEnlisted = false
    /// The transaction has a number and its schema was looked at.
    var isReady = false
    var transaction = TransactionNumber(0)
    /// The entry before it. Nobody else can add one while the transaction is written.
    @exclusivity(unchecked) var last: Last?
    /// The newest closed block, where it is known without asking.
    var closedBlock: Int64?
    /// What the running transaction will have left behind, once its entry is written.
    @exclusivity(unchecked) var written: Left?
    /// What the connection's newest transaction left behind, if that had an entry.
    @exclusivity(unchecked) var left: Left?
    /// The topmost savepoint, -1 without one.
    @exclusivity(unchecked) var level = -1
    @exclusivity(unchecked) var touched: [Int] = []
    /// Some history table may not have the columns that it must have.
    var altersHistories = false
    /// The transaction has schema events, which a rollback takes back.
    var hasEvents = false
    /// A change that could not be ledgered and may not have been taken back, and the savepoint level it happened at.
    @exclusivity(unchecked) var poison: (message: String, level: Int)?
    /// The transaction entry was written by a commit that did not succeed.
    var isEntryWritten = false

    // Row events; see `LedgerConnection+Events`.
    let hasHook: Bool
    // Exclusive access to this and the encoder is not checked while the program runs: they are used for every row, and
    // nothing is called while they are changed.
    @exclusivity(unchecked) var events: [RowEvent] = []
    /// Announced row operations of ledger tables less captured ones.
    @exclusivity(unchecked) var outstanding = 0
    /// The version of the database that they were announced for, as long as SQLite had told of no transaction.
    @exclusivity(unchecked) var eventsVersion: UInt32 = 0
    /// What was announced of ledger tables and never captured, by slot.
    var missed: [Int: MissedChanges] = [:]
    /// The newest changes of tables that were not there when the schema was read; only until it has been looked at.
    var strangers: [(name: String, event: RowEvent)] = []
    /// The version of the database that they are from.
    var strangersVersion: UInt32 = 0

    /// We are executing SQL ourselves.
    @exclusivity(unchecked) var isInternal = false
    /// Parts of the arguments of a wide table's capture call.
    var parts: SavedValues?
    /// See `swapStamp`.
    @exclusivity(unchecked) var swapped: RowStart?
    /// The trigger of an INSERT has been told to write the stamp of the row `stampSequence`, and has not done so yet.
    @exclusivity(unchecked) var isStampDue = false
    @exclusivity(unchecked) var stampSequence: UInt64 = 0
    /// Why the running transaction may not be committed, though nothing of it was captured, and the savepoint level that
    /// takes the cause back.
    /// `version`: of the database. It counts commits, so another one means another transaction.
    @exclusivity(unchecked) var veto: (message: String, level: Int, version: UInt32)?

    @exclusivity(unchecked) var encoder = RowLeafEncoder(collectsChecks: true)
    @exclusivity(unchecked) var entry = EntryEncoder()

    /// SQLite tells us when the connection is about to close, so that statements may be kept.
    var knowsClosing = false
    /// Of the statements that are kept for all databases; only in that of `main`.
    private var watch: StatementWatch?
    /// What hooks get; only in that of `main`.
    private(set) var hookContext: UnsafeMutableRawPointer?
    /// The connection has the ledger's authorizer.
    var hasAuthorizer = false

    // Statements that are not a table's.
    @exclusivity(unchecked) var enlist: SQLiteStatement?
    var readCookie: SQLiteStatement?
    var readLast: SQLiteStatement?
    var readClosed: SQLiteStatement?
    @exclusivity(unchecked) var insertEntry: SQLiteStatement?
    /// `insertEntry` has bound the names of who and through which program.
    var areNamesBound = false
    var insertChunk: SQLiteStatement?

    init(
        _ handle: OpaquePointer, schema: String = "main", root: LedgerConnection? = nil, principal: String?,
        application: String?, guardsObjects: Bool, usesHook: Bool
    ) {
        db = SQLiteConnection(handle, isOwner: false, schema: schema)
        self.root = root
        self.principal = principal
        self.application = application
        self.guardsObjects = guardsObjects
        hasHook = usesHook && ils_has_preupdate() != 0
        eventLeaves = TableState(
            id: .schemaEvents,
            description: TableDescription(
                after: LeafNumber(0), columns: [], kind: .appendOnly, objects: [], rowIDColumn: nil, sql: "",
                table: "ledger_schema_events", view: ""))
        if root == nil { hookContext = ils_hook_context(Unmanaged.passUnretained(self).toOpaque()) }
    }

    /// The ledger of an attached database.
    convenience init(attached schema: String, to root: LedgerConnection) {
        self.init(
            root.db.handle, schema: schema, root: root, principal: nil, application: nil,
            guardsObjects: root.guardsObjects, usesHook: root.hasHook)
        level = root.level
    }

    private func forgetBoundNames() {
        areNamesBound = false
        for ledger in attached { ledger.areNamesBound = false }
    }

    deinit {
        for name in attachedNames { free(name) }
        for name in names { free(name) }
        free(lastStranger)
        free(hookContext)
    }

    /// Runs our own SQL, which guards let pass and hooks overlook.
    func withInternal<R>(_ body: () throws(SQLiteLedgerError) -> R) throws(SQLiteLedgerError) -> R {
        let outer = isInternal
        isInternal = true
        defer { isInternal = outer }
        return try body()
    }

    /// Forgets everything that belongs to the transaction that just ended.
    func endTransaction() {
        for slot in touched where slot < tables.count { tables[slot].clear() }
        if hasEvents { for table in tables { table.forgetStaleTriggers() } }
        if hasEvents || eventLeaves.leaves.leafCount > 0 { eventLeaves.clear() }
        touched.removeAll(keepingCapacity: true)
        if !events.isEmpty { events.removeAll(keepingCapacity: true) }
        if !strangers.isEmpty { strangers.removeAll() }
        if !missed.isEmpty { missed.removeAll() }
        if parts != nil { parts = nil }
        isStampDue = false
        outstanding = 0
        isEnlisted = false
        transaction = TransactionNumber(0)
        last = nil
        closedBlock = nil
        written = nil
        isReady = false
        isEntryWritten = false
        hasEvents = false
        altersHistories = false
        if hasNewTables {
            hasNewTables = false
            isStale = true
        }
        if poison != nil { poison = nil }
        level = -1
    }

    /// Lets go of every prepared statement, so that SQLite can close the connection.
    func dropStatements() {
        for table in tables { table.statements = TableStatements() }
        eventLeaves.statements = TableStatements()
        enlist = nil
        readCookie = nil
        cookieReprepares = 0
        readLast = nil
        readClosed = nil
        insertEntry = nil
        insertChunk = nil
    }

    /// A statement that is kept until the connection closes.
    func kept(_ sql: String) throws(SQLiteLedgerError) -> SQLiteStatement {
        let main = root ?? self
        if !main.knowsClosing, !isClosing {
            // Naming it connects it.
            _ = try db.prepare("SELECT 1 FROM main.\(ILS_CLOSING)")
            guard main.knowsClosing else {
                throw .refused("something in the database hides the ledger's virtual table '\(ILS_CLOSING)'")
            }
        }
        return try db.prepare(sql, persistent: true, watch: main.watchStatements())
    }

    private func watchStatements() throws(SQLiteLedgerError) -> StatementWatch {
        if let watch { return watch }
        let made = try StatementWatch(on: db) { [unowned self] in
            watch = nil
            all { $0.dropStatements() }
        }
        watch = made
        return made
    }

    /// No statement is kept any more.
    func endWatch() {
        watch?.end()
        watch = nil
    }

    func bytes(_ text: String) -> SQLValue { .text(Array(text.utf8)) }
}
