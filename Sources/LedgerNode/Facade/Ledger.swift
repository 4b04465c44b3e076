import Dispatch
import Foundation
import LedgerFormat
import LedgerProofs
import Logging
import ServiceLifecycle
import Synchronization

/// One confidential ledger on this machine: opens or creates the directory, sequences writes, answers reads.
///
/// Every method may be called from any task. Reads see every write answered before they began.
public final class Ledger: Service {
    static let collectionIDByteCountLimit = 1_024
    static let tagsPerEntryLimit = 5
    static let requestIDByteCountLimit = 256
    static let pageLimit = 1_000
    /// A page of entries stops early once it holds this many bytes of contents.
    static let pageByteCountLimit = 8 << 20

    let parts: LedgerParts
    private let tls: TLSIdentityFeed

    init(parts: LedgerParts, tls: TLSIdentityFeed) {
        self.parts = parts
        self.tls = tls
    }

    /// Opens or creates the ledger in `configuration.directory`. When this returns, everything that was ever
    /// reported committed is readable and writes are accepted.
    ///
    /// Errors: `directoryInUse`, `corrupt`, `configurationMismatch`, `wrongSealingKey`, `invalidInput`, `inputOutput`.
    public static func open(_ configuration: NodeConfiguration, logger: Logger) async throws -> Ledger {
        try await open(configuration, disk: PosixDisk(), logger: logger)
    }

    static func open(_ configuration: NodeConfiguration, disk: any Disk, logger: Logger) async throws -> Ledger {
        let opener = LedgerOpener(configuration: configuration, disk: disk, logger: logger)
        let parts = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try opener.open() }) }
        }
        let ledger = Ledger(parts: parts, tls: TLSIdentityFeed())
        parts.start()
        await ledger.renewNodeCertificate()
        ledger.tls.publish(ledger.currentTLSIdentity())
        return ledger
    }

    /// Watches deadlines and certificates. Returns after a graceful shutdown or cancellation: waiting writes are
    /// finished, then new ones are refused, the index is complete and the lock is released.
    public func run() async throws {
        var ticks = 0
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(200))
            parts.expireOverdue(at: .now)
            ticks += 1
            if ticks.isMultiple(of: 5), parts.inbox.writeTrouble != nil {
                try? await parts.reader.blocking { [parts] in parts.lookForRoom() }
            }
            if ticks.isMultiple(of: 5 * 3_600) { await renewNodeCertificate() }
        }
        await close()
    }

    /// Finishes what waits and stops. For programs that do not use `run()`. Idempotent.
    public func close() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [parts] in
                parts.stop()
                continuation.resume()
            }
        }
        tls.finish()
    }

    // MARK: Writes

    /// Appends one entry. Returns when it is durable and signed, or after `wait` with `isCommitted == false`.
    /// `allowed` is asked now, and again when users or roles have changed by the time the entry gets its place.
    /// Errors: `invalidInput`, `notWritable`, `overloaded`, `outcomeUnknown`, `notAllowed`.
    public func append(
        _ request: AppendRequest, wait: Duration = .seconds(5), allowed: RightsCheck? = nil
    ) async throws -> WriteOutcome {
        try Self.check(request)
        let rights = try allowed.map { EntryRights(check: $0, seen: try ask($0)) }
        let now = ContinuousClock.now
        let deadline = now + wait
        let ticket = WriteTicket()
        let key = IdempotencyCache.key(request)
        if let key, let earlier = parts.requests.existing(for: key, orInsert: ticket, now: now) {
            return try Self.outcome(await earlier.wait(until: deadline))
        }
        do {
            do {
                try parts.inbox.put(PendingWrite(work: .entry(PreparedEntry(request), rights), ticket: ticket))
            } catch let error as LedgerError {
                // Repeats may wait on it already, and nobody else would answer them.
                ticket.finish(.failure(error))
            }
            return try Self.outcome(await ticket.wait(until: deadline))
        } catch let error as LedgerError {
            if let key, error.code != .outcomeUnknown { parts.requests.forget(key, ticket) }
            throw error
        }
    }

    private static func check(_ request: AppendRequest) throws {
        let collection = request.collectionID.utf8
        guard !collection.isEmpty, collection.count <= collectionIDByteCountLimit, !collection.contains(0) else {
            throw LedgerError(
                .invalidInput, "collectionId: 1 to \(collectionIDByteCountLimit) UTF-8 bytes without NUL are required")
        }
        guard request.tags.count <= tagsPerEntryLimit else {
            throw LedgerError(
                .invalidInput, "tags: \(request.tags.count) given, at most \(tagsPerEntryLimit) are allowed")
        }
        for tag in request.tags where !AppendRequest.isAcceptable(tag: tag) {
            throw LedgerError(
                .invalidInput,
                "tags: each tag has 1 to \(AppendRequest.tagCharacterLimit) characters in at most "
                    + "\(AppendRequest.tagByteCountLimit) UTF-8 bytes, no comma and no NUL")
        }
        if let id = request.requestID, id.utf8.count > requestIDByteCountLimit {
            throw LedgerError(.invalidInput, "request id: at most \(requestIDByteCountLimit) bytes are allowed")
        }
    }

    private static func outcome(_ result: WriteTicket.Result) throws -> WriteOutcome {
        switch result {
        case .outcome(let outcome): return outcome
        case .failure(let error): throw error
        case .nothingToWrite: throw LedgerError(.invalidInput, "there was nothing to write")
        }
    }

    /// Asks about the newest committed rights; returns their version.
    private func ask(_ allowed: RightsCheck) throws -> SequenceNumber {
        try parts.published.ask { state in
            Result { () throws -> SequenceNumber in
                try allowed(LedgerRights(state: state))
                return state.rightsVersion
            }
        }.get()
    }

    /// Submits a change of the small state and waits until it is committed. `nil`: nothing had to be written.
    /// `allowed` is asked now, and about the state that the change is decided on.
    /// Errors: `outcomeUnknown` also when the wait ends before, since what is not committed may still be lost.
    func change(
        wait: Duration = .seconds(30), allowed: RightsCheck? = nil,
        _ decide: @escaping @Sendable (LedgerState) throws -> StateChange?
    ) async throws -> WriteOutcome? {
        guard let allowed else { return try await submit(wait, decide) }
        _ = try ask(allowed)
        return try await submit(wait) { state in
            try allowed(LedgerRights(state: state))
            return try decide(state)
        }
    }

    private func submit(
        _ wait: Duration, _ decide: @escaping @Sendable (LedgerState) throws -> StateChange?
    ) async throws -> WriteOutcome? {
        let deadline = ContinuousClock.now + wait
        let ticket = WriteTicket()
        try parts.inbox.put(PendingWrite(work: .change(decide), ticket: ticket))
        let result = await ticket.wait(until: deadline)
        if case .nothingToWrite = result { return nil }
        let outcome = try Self.outcome(result)
        guard outcome.isCommitted else {
            throw LedgerError(
                .outcomeUnknown,
                "the change was not committed in time; it may or may not take effect, "
                    + "ask for the status of transaction \(outcome.transactionID)")
        }
        return outcome
    }

    private func requiredChange(
        _ allowed: RightsCheck?, _ decide: @escaping @Sendable (LedgerState) throws -> StateChange
    ) async throws -> WriteOutcome {
        guard let outcome = try await change(allowed: allowed, decide) else {
            throw LedgerError(.invalidInput, "there was nothing to write")
        }
        return outcome
    }

    /// Creates or replaces a user. Built-in role names are normalised; custom roles must exist (`roleNotFound`).
    /// Taking the administrator role from the last administrator is refused (`lastAdministrator`).
    /// This and the other changes ask `allowed` about the very state that they are decided on: `notAllowed`. They return
    /// when they are committed: `outcomeUnknown` when that takes longer than 30 seconds.
    public func setUser(
        _ user: LedgerUser, allowed: RightsCheck? = nil
    ) async throws -> (user: LedgerUser, outcome: WriteOutcome) {
        let outcome = try await requiredChange(allowed) { StateChange(writes: try $0.writesToSet(user).1) }
        return (try parts.published.ask { state in Result { try state.normalised(user) } }.get(), outcome)
    }

    /// Removing an unknown user succeeds and writes nothing (`nil`). `lastAdministrator` as above.
    public func removeUser(_ userID: String, allowed: RightsCheck? = nil) async throws -> WriteOutcome? {
        try await change(allowed: allowed) { try $0.writesToRemoveUser(userID).map { StateChange(writes: $0) } }
    }

    /// All or nothing. `roleExists` if one is there already or is a built-in name.
    public func createRoles(_ roles: [CustomRole], allowed: RightsCheck? = nil) async throws -> WriteOutcome {
        try await requiredChange(allowed) { StateChange(writes: try $0.writesToSetRoles(roles, mustExist: false)) }
    }

    /// Replaces the action lists. `roleNotFound` if one is missing.
    public func updateRoles(_ roles: [CustomRole], allowed: RightsCheck? = nil) async throws -> WriteOutcome {
        try await requiredChange(allowed) { StateChange(writes: try $0.writesToSetRoles(roles, mustExist: true)) }
    }

    /// `roleNotFound`; a role still held by a user is `invalidInput`.
    public func removeRole(_ name: String, allowed: RightsCheck? = nil) async throws -> WriteOutcome {
        try await requiredChange(allowed) { StateChange(writes: try $0.writesToRemoveRole(name)) }
    }

    // MARK: Reads

    /// The newest durable, signed transaction.
    public var committed: TransactionID { parts.published.ask { $0.last } }

    public func status(of id: TransactionID) async throws -> TransactionStatus {
        parts.published.status(of: id)
    }

    /// Checks that `id` is committed and waits for the index. Errors: `transactionPending`, `transactionInvalid`.
    private func requireCommitted(_ id: TransactionID) async throws {
        switch parts.published.status(of: id) {
        case .committed: break
        case .invalid:
            throw LedgerError(.transactionInvalid, "transaction \(id) is not part of this ledger")
        case .pending, .unknown:
            throw LedgerError(
                .transactionPending, "transaction \(id) is not known (yet); the newest committed one is \(committed)")
        }
    }

    /// `nil` when the transaction is committed but wrote no entry to that collection (`nil`: any).
    /// Errors: `transactionPending`, `transactionInvalid`.
    public func entry(_ id: TransactionID, collectionID: String?) async throws -> LedgerEntry? {
        try await requireCommitted(id)
        return try await parts.reader.blocking { [reader = parts.reader] in
            try reader.entry(id.seqno, collectionID: collectionID)
        }
    }

    /// The last entry of a collection at `time`, a committed transaction (`nil`: the newest one); `nil` when there is none.
    public func currentEntry(collectionID: String, at time: TransactionID? = nil) async throws -> LedgerEntry? {
        let bound = time ?? committed
        try await parts.indexer.wait(for: bound.seqno)
        return try await parts.reader.blocking { [reader = parts.reader] in
            guard let last = try reader.indexer.entries.last(in: collectionID, atMost: bound.seqno) else { return nil }
            return try reader.entry(last, collectionID: collectionID)
        }
    }

    /// One page. An empty range is an empty page. Error: `invalidInput` for a limit out of range.
    public func entries(_ query: EntryQuery) async throws -> EntryPage {
        guard (1...Self.pageLimit).contains(query.limit) else {
            throw LedgerError(.invalidInput, "limit: 1 to \(Self.pageLimit) is allowed")
        }
        let readAt = committed
        try await parts.indexer.wait(for: min(query.to ?? readAt.seqno, readAt.seqno))
        return try await parts.reader.blocking { [reader = parts.reader] in
            try reader.page(query, readAt: readAt)
        }
    }

    /// Errors: `transactionPending`, `transactionInvalid`.
    public func receipt(for id: TransactionID) async throws -> UnverifiedReceiptDocument {
        try await requireCommitted(id)
        try await parts.indexer.wait(for: id.seqno)
        return try await parts.reader.blocking { [reader = parts.reader] in try reader.receipt(id) }
    }

    /// The COSE form, ccf-formats 5.3. Same errors. Under load the service signs some milliseconds after the node
    /// (decision 0013): asks for that and waits, at most a second. The newest signature transaction has no such receipt yet.
    public func coseReceipt(for id: TransactionID) async throws -> [UInt8] {
        try await requireCommitted(id)
        let deadline = ContinuousClock.now + .seconds(1)
        var (last, byService) = (SequenceNumber.zero, SequenceNumber.zero)
        repeat {
            (last, byService) = parts.published.ask { ($0.last.seqno, $0.lastServiceSignature) }
            if byService > id.seqno || byService == last { break }
            parts.sequencer.wantServiceSignature()
            try await Task.sleep(for: .milliseconds(2))
        } while .now < deadline
        try await parts.indexer.wait(for: last)
        return try await parts.reader.blocking { [reader = parts.reader] in try reader.coseReceipt(id) }
    }

    /// Ascending by id, after `after`; at most `limit`.
    public func collections(after: String?, limit: Int) async throws -> [String] {
        try await parts.indexer.wait(for: committed.seqno)
        return try await parts.reader.blocking { [entries = parts.indexer.entries] in
            try entries.collections(after: after, limit: limit)
        }
    }

    /// Distinct tags of one collection (`nil`: of all), ascending, after `after`.
    public func tags(collectionID: String?, after: String?, limit: Int) async throws -> [String] {
        try await parts.indexer.wait(for: committed.seqno)
        return try await parts.reader.blocking { [entries = parts.indexer.entries] in
            try entries.tags(in: collectionID, after: after, limit: limit)
        }
    }

    /// Users and roles as of the newest committed transaction.
    public var rights: LedgerRights { LedgerRights(state: parts.published.current) }

    public func user(_ userID: String) -> LedgerUser? { parts.published.ask { $0.users[ExactText(userID)] } }

    /// Ascending by user id.
    public func users(after: String?, limit: Int) -> [LedgerUser] { rights.users(after: after, limit: limit) }

    public func role(_ name: String) -> CustomRole? { parts.published.ask { $0.customRoles[ExactText(name)] } }

    /// Ascending by name.
    public func roles() -> [CustomRole] { rights.roles() }

    public func authorize(_ identity: Identity, _ action: LedgerAction) -> AuthorizationDecision {
        parts.published.ask { $0.authorize(identity, action) }
    }

    // MARK: Node

    public var information: NodeInformation { parts.information() }

    /// `host:port` under which clients reach the node from now on: the port may be known only when it is bound.
    public func publish(address: String) { parts.publishedAddress.withLock { $0 = address } }

    /// What the listener presents now.
    public var tlsIdentity: TLSIdentity { tls.current ?? currentTLSIdentity() }

    /// The current identity, then each renewed one. Ends when the ledger closes.
    public func tlsIdentityUpdates() -> AsyncStream<TLSIdentity> { tls.updates() }

    /// Committed ledger chunks, oldest first.
    public func committedChunks() -> [LedgerChunkFile] {
        parts.catalog.closed.map {
            LedgerChunkFile(fileName: $0.fileName, first: $0.first, last: $0.last, byteCount: $0.byteCount)
        }
    }

    /// Committed snapshots, oldest first.
    public func committedSnapshots() -> [LedgerChunkFile] { parts.snapshots.files() }

    /// Opens the named committed chunk or snapshot for reading; `nil` if it is not one of them (never a path).
    public func openForDownload(fileName: String) throws -> LedgerFileReader? {
        let directory: String
        if committedChunks().contains(where: { $0.fileName == fileName }) {
            directory = parts.directory.ledger
        } else if committedSnapshots().contains(where: { $0.fileName == fileName }) {
            directory = parts.directory.snapshots
        } else {
            return nil
        }
        let path = directory + "/" + fileName
        let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw LedgerError(.inputOutput, "\(DiskError(operation: "open", path: path, code: errno))")
        }
        do {
            return LedgerFileReader(
                descriptor: descriptor, byteCount: try SystemCalls.byteCount(of: descriptor, path: path))
        } catch {
            Foundation.close(descriptor)
            throw LedgerError(.inputOutput, error.description)
        }
    }

    // MARK: Certificates

    private func currentTLSIdentity() -> TLSIdentity {
        TLSIdentity(
            certificateChainPEM: parts.nodeCertificate() + parts.keyring.serviceCertificatePEM,
            privateKeyPEM: parts.keyring.nodeKeyPEM)
    }

    /// A failure is logged; the certificate's end can be seen in the metrics.
    private func renewNodeCertificate() async {
        do {
            try await renewNodeCertificateIfDue()
        } catch {
            parts.logger.error("the node certificate could not be renewed", metadata: ["error": "\(error)"])
        }
    }

    /// Renews the node certificate under the same keys when less than a third of its life is left, when its names no
    /// longer fit, or when it is not valid yet (it was made while the clock was ahead), and records it in the ledger.
    /// The service key and its certificate stay.
    func renewNodeCertificateIfDue(now: Date = Date()) async throws {
        let names = parts.certificateNames
        let facts = try CertificateMaker.facts(pem: parts.nodeCertificate())
        let third = TimeInterval(CertificateMaker.nodeValidity) * 86_400 / 3
        guard
            facts.notAfter.timeIntervalSince(now) < third || facts.notBefore > now || facts.names != Set(names)
        else {
            // One whose change was committed after its wait is shown from here on.
            if let shown = tls.current, shown != currentTLSIdentity() { tls.publish(currentTLSIdentity()) }
            return
        }
        let pem = try CertificateMaker.node(
            key: parts.keyring.nodePublicKey, names: names, issuer: parts.keyring.serviceKey, now: now)
        let key = Array(parts.keyring.nodeID.utf8)
        _ = try await change { _ in
            var writes = WriteSet()
            writes.put(.nodesEndorsedCertificates, key: key, value: Array(pem.utf8))
            return StateChange(writes: writes)
        }
        parts.logger.notice("the node certificate was renewed")
        tls.publish(currentTLSIdentity())
    }
}
