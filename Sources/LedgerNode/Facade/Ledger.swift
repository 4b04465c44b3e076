import LedgerProofs
import Logging
import ServiceLifecycle

/// One confidential ledger on this machine: opens or creates the directory, sequences writes, answers reads.
///
/// Every method may be called from any task. Reads see every write answered before they began.
public final class Ledger: Service {
    /// Opens or creates the ledger in `configuration.directory`. When this returns, everything that was ever
    /// reported committed is readable; writes are accepted once `run()` has been called.
    public static func open(_ configuration: NodeConfiguration, logger: Logger) async throws -> Ledger { fatalError() }

    /// Sequences, signs, indexes, renews certificates. Returns after a graceful shutdown: waiting writes are
    /// finished, then new ones are refused.
    public func run() async throws { fatalError() }

    // MARK: Writes

    /// Appends one entry. Returns when it is durable and signed, or after `wait` with `isCommitted == false`.
    /// Errors: `invalidInput`, `notWritable`, `overloaded`, `outcomeUnknown`.
    public func append(_ request: AppendRequest, wait: Duration = .seconds(5)) async throws -> WriteOutcome { fatalError() }

    /// Creates or replaces a user. Built-in role names are normalised; custom roles must exist (`roleNotFound`).
    /// Taking the administrator role from the last administrator is refused (`lastAdministrator`).
    public func setUser(_ user: LedgerUser) async throws -> (user: LedgerUser, outcome: WriteOutcome) { fatalError() }
    /// Removing an unknown user succeeds and writes nothing (`nil`). `lastAdministrator` as above.
    public func removeUser(_ userID: String) async throws -> WriteOutcome? { fatalError() }
    /// All or nothing. `roleExists` if one is there already or is a built-in name.
    public func createRoles(_ roles: [CustomRole]) async throws -> WriteOutcome { fatalError() }
    /// Replaces the action lists. `roleNotFound` if one is missing.
    public func updateRoles(_ roles: [CustomRole]) async throws -> WriteOutcome { fatalError() }
    /// `roleNotFound`; a role still held by a user is `invalidInput`.
    public func removeRole(_ name: String) async throws -> WriteOutcome { fatalError() }

    // MARK: Reads

    /// The newest durable, signed transaction.
    public var committed: TransactionID { fatalError() }
    public func status(of id: TransactionID) async throws -> TransactionStatus { fatalError() }
    /// `nil` when the transaction is committed but wrote no entry to that collection (`nil`: any).
    /// Errors: `transactionPending`, `transactionInvalid`.
    public func entry(_ id: TransactionID, collectionID: String?) async throws -> LedgerEntry? { fatalError() }
    /// The last entry of a collection; `nil` when there is none.
    public func currentEntry(collectionID: String) async throws -> LedgerEntry? { fatalError() }
    public func entries(_ query: EntryQuery) async throws -> EntryPage { fatalError() }
    /// Errors: `transactionPending`, `transactionInvalid`.
    public func receipt(for id: TransactionID) async throws -> UnverifiedReceiptDocument { fatalError() }
    /// The COSE form, ccf-formats 5.3. Same errors.
    public func coseReceipt(for id: TransactionID) async throws -> [UInt8] { fatalError() }
    /// Ascending by id, after `after`; at most `limit`.
    public func collections(after: String?, limit: Int) async throws -> [String] { fatalError() }
    /// Distinct tags of one collection (`nil`: of all), ascending, after `after`.
    public func tags(collectionID: String?, after: String?, limit: Int) async throws -> [String] { fatalError() }
    public func user(_ userID: String) -> LedgerUser? { fatalError() }
    /// Ascending by user id.
    public func users(after: String?, limit: Int) -> [LedgerUser] { fatalError() }
    public func role(_ name: String) -> CustomRole? { fatalError() }
    public func roles() -> [CustomRole] { fatalError() }
    public func authorize(_ identity: Identity, _ action: LedgerAction) -> AuthorizationDecision { fatalError() }

    // MARK: Node

    public var information: NodeInformation { fatalError() }
    /// The current identity, then each renewed one, for the listener.
    public var tlsIdentity: TLSIdentity { fatalError() }
    public func tlsIdentityUpdates() -> AsyncStream<TLSIdentity> { fatalError() }
    /// Committed ledger chunks, oldest first: file name, first and last seqno, bytes.
    public func committedChunks() -> [LedgerChunkFile] { fatalError() }
    /// Committed snapshots, oldest first.
    public func committedSnapshots() -> [LedgerChunkFile] { fatalError() }
    /// Opens the named committed chunk or snapshot for reading; `nil` if it is not one of them (never a path).
    public func openForDownload(fileName: String) throws -> LedgerFileReader? { fatalError() }
}
