import Crypto
import Foundation
import GRDB
import LedgerFormat
import LedgerProofs
import Logging
import X509

/// Opens or creates a data directory and wires the parts together. Blocks; runs once.
struct LedgerOpener {
    var configuration: NodeConfiguration
    let disk: any Disk
    let logger: Logger

    init(configuration: NodeConfiguration, disk: any Disk, logger: Logger) {
        self.configuration = configuration
        self.disk = disk
        self.logger = logger
    }

    func open() throws -> LedgerParts {
        try validate()
        let directory = DataDirectory(path: URL(fileURLWithPath: configuration.directory).standardizedFileURL.path)
        if mkdir(directory.path, 0o700) != 0, errno != EEXIST {
            throw LedgerError(
                .inputOutput, "\(DiskError(operation: "make directory", path: directory.path, code: errno))")
        }
        let lock = try DirectoryLock(path: directory.lock)
        var settings = try openSettings(directory)
        var configuration = configuration
        configuration.ledgerType = settings.ledgerType
        try checkParts(directory, settings)
        try directory.prepare(disk: disk)
        let keyring = try openKeyring(directory, settings)
        if let type = keyring.ledgerType {
            let witness = "the sealed keys in \(directory.keyring)"
            try check(settings.ledgerType, in: directory, is: type, accordingTo: witness)
        }
        let catalog = ChunkCatalog(directory: directory.ledger)
        // Up to here only what a first start needs was made; nothing that was there before is changed until recovery
        // has found the ledger to be whole.
        let recovered: LedgerRecovery.Result
        let index: DerivedIndex
        do {
            (recovered, index) = try recover(directory, keyring, catalog, isCreated: settings.created == true)
        } catch let error as DatabaseError {
            throw LedgerError(
                .inputOutput, "the derived index of \(directory.path) cannot be used (\(DatabaseError.text(error)))",
                cause: error)
        }
        var state = recovered.state
        let lost = SnapshotLoader(directory: directory, catalog: catalog, keyring: keyring, logger: logger)
            .missing(after: state.ledger.last.seqno)
        // The notes are also told by `/health`, so they name no paths.
        let notes =
            try recovered.notes
            + [lost, CertificateMaker.ending(keyring.serviceCertificatePEM, now: Date())]
            .compactMap { $0 }
        for note in notes { logger.warning("\(note)", metadata: ["directory": "\(directory.path)"]) }
        if keyring.ledgerType == nil, let type = try writtenType(catalog, keyring) {
            try check(settings.ledgerType, in: directory, is: type, accordingTo: "the entries in \(directory.ledger)")
        }
        let serviceCertificate = Array(keyring.serviceCertificatePEM.utf8)
        if try DurableFile.read(directory.serviceCertificate, limit: 65_536) != serviceCertificate {
            try DurableFile.write(serviceCertificate, to: directory.serviceCertificate, mode: 0o644, disk: disk)
        }

        let viewFile = ViewFile(path: directory.view, disk: disk)
        let isNew = state.next.seqno == SequenceNumber(1)
        let storedView = try viewFile.read()
        let limit = UInt64(recovered.highestView.rawValue) + Self.viewsAhead
        if let storedView, UInt64(storedView.rawValue) > limit {
            throw LedgerError(
                .invalidInput,
                "\(directory.view) is damaged: it says view \(storedView), the ledger has come to view "
                    + "\(recovered.highestView), and the file is never more than \(Self.viewsAhead) views ahead. "
                    + "Restore it from a copy")
        }
        // The file is durable before anything is written in its view, so a tail that is not authentic has nothing to add
        // to it. Where it is missing, the tail is believed as far as this node can have come.
        let claimed = UInt64(recovered.claimedView.rawValue) <= limit ? recovered.claimedView : View(0)
        let highest = max(storedView ?? claimed, recovered.highestView)
        state.view =
            isNew && storedView == nil
            ? .initial : View(max(highest.rawValue + 1, View.initial.rawValue))
        try viewFile.write(state.view)

        let log = try FileLog(catalog: catalog, scratch: directory.scratch, disk: disk, mustComplete: false)
        let signer = RootSigner(keyring: keyring)
        var additions: [Indexer.Addition] = []
        if try !state.ledger.isOpen {
            try create(
                directory, settings, configuration, keyring, signer, log: log, state: &state, additions: &additions)
        } else {
            for pem in configuration.administratorCertificates {
                let userID = try NodeConfiguration.userID(certificatePEM: pem)
                guard state.ledger.users[ExactText(userID)] == nil else { continue }
                logger.warning(
                    "an administrator's certificate is only used when a ledger is created; this user is not in the ledger",
                    metadata: ["userId": "\(userID)"])
            }
        }

        if settings.created != true {
            settings.created = true
            try settings.write(directory.settings, disk: disk)
        }

        let published = PublishedState(state.ledger, view: state.view)
        let indexer = Indexer(
            entries: index.entries, merkle: index.merkle, signatures: index.signatures, frontier: recovered.indexed,
            logger: logger)
        for addition in additions { indexer.enqueue(addition) }
        let reader = HistoricalReader(
            catalog: catalog, indexer: indexer, keyring: keyring, staleMarker: directory.staleMarker,
            logger: logger
        ) { nodeID in
            published.ask { state in
                state.store.value(.nodesEndorsedCertificates, Array(nodeID.utf8))
                    .map { String(decoding: $0, as: UTF8.self) }
            }
        }
        let inbox = Inbox(limit: configuration.pendingWriteLimit)
        let snapshots = SnapshotKeeper(
            directory: directory, kept: configuration.snapshotsKept, secret: keyring.ledgerSecret, disk: disk,
            inbox: inbox, reader: reader, logger: logger)
        let committer = Committer(
            state: state, inbox: inbox, replicator: log, indexer: indexer, published: published, viewFile: viewFile,
            logger: logger, snapshotDue: { snapshots.take($0, leaf: $1) })
        let sequencer = Sequencer(
            committer: committer, inbox: inbox, signer: signer, secret: keyring.ledgerSecret,
            configuration: configuration)
        let requests = IdempotencyCache(window: configuration.idempotencyWindow)
        for request in recovered.recentRequests {
            _ = requests.existing(for: request.key, orInsert: WriteTicket(committed: request.id), now: .now)
        }
        return LedgerParts(
            directory: directory, settings: settings, configuration: configuration, keyring: keyring, lock: lock,
            catalog: catalog, indexer: indexer, reader: reader, published: published, inbox: inbox,
            sequencer: sequencer, requests: requests, snapshots: snapshots,
            startup: state.ledger.last.seqno, startupNotes: notes, logger: logger)
    }

    // MARK: Settings and keys

    private func validate() throws {
        if let name = configuration.name {
            guard (3...35).contains(name.utf8.count),
                name.utf8.allSatisfy({
                    (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                })
            else {
                throw LedgerError(.invalidInput, "name: '\(name)' is not 3 to 35 letters, digits and hyphens")
            }
        }
        for name in configuration.subjectAlternativeNames where !CertificateMaker.isName(name) {
            throw LedgerError(.invalidInput, "san: '\(name)' is neither a host name nor an IP address")
        }
        guard (4_096...1 << 30).contains(configuration.chunkByteCount) else {
            throw LedgerError(.invalidInput, "chunk size: 4096 bytes to 1 GiB are allowed")
        }
        guard configuration.snapshotInterval >= 10 else {
            throw LedgerError(.invalidInput, "snapshot interval: at least 10 transactions are required")
        }
        guard configuration.snapshotsKept >= 1 else {
            throw LedgerError(.invalidInput, "snapshots kept: at least 1 is required")
        }
    }

    private func openSettings(_ directory: DataDirectory) throws -> NodeSettings {
        guard let settings = try NodeSettings.read(directory.settings) else {
            return NodeSettings(
                name: configuration.name ?? "indelible", ledgerType: configuration.ledgerType ?? .private)
        }
        if let wanted = configuration.name, wanted != settings.name {
            throw LedgerError(
                .configurationMismatch,
                "this ledger was created as '\(settings.name)' and cannot be opened as '\(wanted)': "
                    + "the name is fixed at creation")
        }
        if let wanted = configuration.ledgerType, wanted != settings.ledgerType {
            throw LedgerError(
                .configurationMismatch,
                "this ledger was created as \(settings.ledgerType.rawValue) and cannot be opened as \(wanted.rawValue): "
                    + "the type is fixed at creation")
        }
        return settings
    }

    /// How far the stored view may be ahead of the ledger: starts and failed writes without a single write between them.
    /// Each view that was skipped takes 8 bytes of memory and of every snapshot.
    private static let viewsAhead: UInt64 = 1 << 24

    /// The settings are a plain file. Were they believed, one word in them would have a private ledger written in clear.
    private func check(
        _ stated: NodeConfiguration.LedgerType, in directory: DataDirectory, is type: NodeConfiguration.LedgerType,
        accordingTo witness: String
    ) throws {
        guard stated != type else { return }
        throw LedgerError(
            .configurationMismatch,
            "\(directory.settings) says that this ledger is \(stated.rawValue), but according to \(witness) it is "
                + "\(type.rawValue). Restore the file from a copy")
    }

    /// The type in which the first entry was written; `nil` when none is found among the first transactions.
    private func writtenType(_ catalog: ChunkCatalog, _ keyring: Keyring) throws -> NodeConfiguration.LedgerType? {
        var seqno = SequenceNumber(1)
        while seqno <= catalog.last, seqno.rawValue <= Self.transactionsSearched {
            let entry = try Entry(decoding: try catalog.entryBytes(seqno))
            if entry.publicDomain.maps.contains(where: { EntryValue.isLog($0.name) }) { return .public }
            if try entry.decryptPrivate(with: keyring.ledgerSecret).contains(where: { EntryValue.isLog($0.name) }) {
                return .private
            }
            seqno = seqno.next
        }
        return nil
    }

    private static let transactionsSearched: UInt64 = 20_000

    /// Whether what is there can be a whole directory, or one whose creation was interrupted: first the settings are
    /// written, then the keys, then the ledger.
    private func checkParts(_ directory: DataDirectory, _ settings: NodeSettings) throws {
        let hasSettings = try Self.isThere(directory.settings)
        let hasKeys = try Self.isThere(directory.keyring)
        let hasLedger = try Self.isThere(directory.ledger)
        let chunks =
            hasLedger
            ? try FileManager.default.contentsOfDirectory(atPath: directory.ledger).filter {
                ChunkName(fileName: $0) != nil
            } : []
        let holds = chunks.isEmpty ? nil : "\(directory.ledger) holds a ledger"
        func missing(_ path: String, _ because: String) -> LedgerError {
            LedgerError(
                .incompleteDirectory,
                "\(path) is missing, but \(because). Restore it from a copy; nothing was changed")
        }
        if !hasSettings {
            if let holds { throw missing(directory.settings, holds) }
            if hasKeys { throw missing(directory.settings, "\(directory.keyring) is there") }
        }
        let created = settings.created == true ? "\(directory.settings) says that a ledger was created here" : nil
        if !hasKeys, let reason = holds ?? created { throw missing(directory.keyring, reason) }
        guard hasKeys else { return }
        if !hasLedger { throw missing(directory.ledger, "\(directory.keyring) is there") }
        if chunks.isEmpty, created != nil { throw LedgerRecovery.lost(directory) }
    }

    /// Error: `inputOutput` when that cannot be told, in a folder that may not be searched: a file there is not missing.
    private static func isThere(_ path: String) throws -> Bool {
        if access(path, F_OK) == 0 { return true }
        let code = errno
        // A link that leads nowhere leads to what is not mounted.
        let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
        guard code != ENOENT || isLink else { return false }
        throw LedgerError(.inputOutput, "\(DiskError(operation: "look for", path: path, code: code))")
    }

    /// What was derived before: `index` is `nil` where it has to be made anew, `anchor`, the newest transaction that it
    /// has seen committed, where it is damaged so that it does not tell. Error: `inputOutput` when the database is there, but
    /// cannot be used now: what is only out of reach must not be forgotten.
    private func presentIndex(_ directory: DataDirectory, _ ledger: String) throws -> (
        index: DerivedIndex?, anchor: SequenceNumber?
    ) {
        guard try Self.isThere(directory.index) else { return (nil, .zero) }
        let database = DerivedIndex.database(in: directory.index)
        var anchor: SequenceNumber?
        do {
            guard try Self.isThere(database) else { return (nil, nil) }
            anchor = try EntryIndex.indexedTo(inFile: database, ledger: ledger)
            return (try DerivedIndex(path: directory.index, ledger: ledger), anchor)
        } catch  where (error as? DatabaseError)?.isDamage ?? (anchor != nil) {
            logger.warning("the derived index cannot be used and is rebuilt", metadata: ["error": "\(error)"])
            return (nil, anchor)
        } catch {
            throw LedgerError(
                .inputOutput,
                "\(database) cannot be used (\(DatabaseError.text(error))). It knows which transactions were committed, so "
                    + "the ledger is not opened without it. Nothing was changed; close what has it open, or put its "
                    + "permissions right, and start again",
                cause: error)
        }
    }

    private func openKeyring(_ directory: DataDirectory, _ settings: NodeSettings) throws -> Keyring {
        let stored = try DurableFile.read(directory.keyring, limit: 1 << 20)
        let key: SealedFile.Key
        switch configuration.sealing {
        case .passphrase(let text):
            guard !text.isEmpty else { throw LedgerError(.invalidInput, "the sealing passphrase is empty") }
            key = .passphrase(text)
        case .key(let bytes):
            guard bytes.count >= 16 else {
                throw LedgerError(
                    .invalidInput, "the sealing key file has \(bytes.count) bytes; at least 16 are required")
            }
            key = .file(bytes)
        case .generatedKeyFile:
            if let bytes = try DurableFile.read(directory.sealingKey, limit: 4_096) {
                key = .file(bytes)
            } else if stored == nil {
                let bytes = SystemRandomNumberGenerator.bytes(SealedFile.keyByteCount)
                try DurableFile.write(bytes, to: directory.sealingKey, disk: disk)
                logger.notice(
                    "a sealing key was made beside the data; keep one elsewhere, or a passphrase, to protect a stolen disk",
                    metadata: ["file": "\(directory.sealingKey)"])
                key = .file(bytes)
            } else {
                throw LedgerError(
                    .wrongSealingKey,
                    "the keys in \(directory.keyring) are sealed; give the sealing key file or passphrase")
            }
        }
        warnOfOpenKeys(directory)
        if let stored { return try Keyring(opening: stored, key: key, path: directory.keyring) }
        if !FileManager.default.fileExists(atPath: directory.settings) {
            try settings.write(directory.settings, disk: disk)
        }
        let keyring = try Keyring.generate(name: settings.name, ledgerType: settings.ledgerType, now: Date())
        try DurableFile.write(try keyring.sealed(with: key), to: directory.keyring, disk: disk)
        return keyring
    }

    /// A copy made without care for modes leaves the keys to everybody on the machine.
    private func warnOfOpenKeys(_ directory: DataDirectory) {
        for path in [directory.keyring, directory.sealingKey, directory.administrator] {
            let facts = try? FileManager.default.attributesOfItem(atPath: path)
            guard let mode = facts?[.posixPermissions] as? Int, mode & 0o077 != 0 else { continue }
            logger.warning(
                "a file with a private key is open to others; make it readable by its owner only",
                metadata: ["file": "\(path)", "mode": "\(String(mode & 0o777, radix: 8))"])
        }
    }

    // MARK: Recovery

    /// - Parameter isCreated: the service was opened once, so the ledger must say so.
    private func recover(
        _ directory: DataDirectory, _ keyring: Keyring, _ catalog: ChunkCatalog, isCreated: Bool
    ) throws -> (LedgerRecovery.Result, DerivedIndex) {
        let (present, known) = try presentIndex(directory, keyring.serviceKeyID)
        let anchor = known ?? .zero
        func recovery(_ index: DerivedIndex) -> LedgerRecovery {
            LedgerRecovery(
                directory: directory, catalog: catalog, keyring: keyring, disk: disk, entries: index.entries,
                merkle: index.merkle, signatures: index.signatures, idempotencyWindow: configuration.idempotencyWindow,
                anchor: anchor, isCreated: isCreated)
        }
        func checked(_ result: LedgerRecovery.Result) throws -> LedgerRecovery.Result {
            if configuration.verifyOnStart, catalog.last > .zero { try verifyAll(directory, keyring) }
            guard known == nil, isCreated else { return result }
            var result = result
            result.notes.append(
                "the derived index was damaged, or another ledger's, and did not tell what was committed; it was made anew "
                    + "from the ledger. Had the ledger's end been cut off meanwhile, it would not have been noticed")
            return result
        }
        let open = try LedgerRecovery.registerChunks(in: directory, catalog)
        let start = try SnapshotLoader(directory: directory, catalog: catalog, keyring: keyring, logger: logger)
            .newest()
        // Verification reads everything anyway; the index is made anew from what it finds, whatever was removed from it.
        if !configuration.verifyOnStart, let start, let present,
            !FileManager.default.fileExists(atPath: directory.staleMarker)
        {
            do {
                if try fits(present, start, indexedTo: anchor) {
                    return (try recovery(present).replay(from: start, open: open), present)
                }
            } catch let error as DatabaseError where error.isDamage {
                logger.warning("the derived index cannot be used and is rebuilt", metadata: ["error": "\(error)"])
            }
        }
        // Without a snapshot that the derived files agree with, everything is read again from the first transaction.
        if start != nil { logger.notice("the derived index is rebuilt from the ledger; this reads all of it") }
        // The present index knows what was committed, so it stays until the ledger is found to have all of that.
        try directory.makeNewIndex()
        do {
            let index = try DerivedIndex(path: directory.newIndex, ledger: keyring.serviceKeyID)
            let result = try checked(try recovery(index).replay(from: nil, open: open))
            try index.finish()
            try present?.entries.close()
            try directory.replaceIndex(disk: disk)
            return (result, try DerivedIndex(path: directory.index, ledger: keyring.serviceKeyID))
        } catch {
            try? FileManager.default.removeItem(atPath: directory.newIndex)
            throw error
        }
    }

    /// Whether the derived files hold exactly the tree that the snapshot's signature signed.
    private func fits(_ index: DerivedIndex, _ start: SnapshotStart, indexedTo: SequenceNumber) throws -> Bool {
        guard indexedTo >= start.seqno, index.merkle.size >= start.frontier.size,
            try index.signatures.first(atLeast: start.seqno) == start.seqno
        else { return false }
        return try index.merkle.frontier(of: start.frontier.size) == start.frontier
    }

    private func verifyAll(_ directory: DataDirectory, _ keyring: Keyring) throws {
        var options = LedgerVerificationOptions()
        options.expectedServiceCertificatePEM = keyring.serviceCertificatePEM
        options.secrets = LedgerSecrets(keyring.ledgerSecret)
        logger.notice("verifying the whole ledger before serving")
        let report = LedgerDirectoryVerifier(path: directory.ledger, options: options).verify()
        guard report.outcome == .ok else {
            let findings = report.findings.prefix(5).map(\.description).joined(separator: "; ")
            throw LedgerError(
                .corrupt, "the ledger does not verify: \(report.findings.count) problems, first: \(findings)")
        }
        logger.notice(
            "the whole ledger is verified",
            metadata: ["transactions": "\(report.transactions)", "signatures": "\(report.rawSignatures)"])
    }

    // MARK: Creation

    private func create(
        _ directory: DataDirectory, _ settings: NodeSettings, _ configuration: NodeConfiguration, _ keyring: Keyring,
        _ signer: RootSigner, log: FileLog, state: inout SequencerState, additions: inout [Indexer.Addition]
    ) throws {
        let now = Date()
        var administrators = try configuration.administratorCertificates.map {
            try NodeConfiguration.userID(certificatePEM: $0)
        }
        if administrators.isEmpty { administrators = [try makeAdministrator(directory, now: now)] }

        let names = LedgerParts.certificateNames(settings, configuration)
        let endorsed = state.ledger.store.value(.nodesEndorsedCertificates, Array(keyring.nodeID.utf8))
        let certificate =
            try endorsed.map { String(decoding: $0, as: UTF8.self) }
            ?? CertificateMaker.node(
                key: keyring.nodePublicKey, names: names, issuer: keyring.serviceKey, now: now)
        let genesis = Genesis(
            keyring: keyring, nodeCertificatePEM: certificate, publishedAddress: configuration.publishedAddress,
            administrators: administrators, memberID: try CertificateMaker.memberID(pem: keyring.memberCertificatePEM))

        func write(endChunk: Bool, _ changes: (inout BatchBuilder) throws -> Void) throws {
            var builder = BatchBuilder(
                after: state, secret: keyring.ledgerSecret, ledgerType: settings.ledgerType,
                chunkByteCountTarget: configuration.chunkByteCount, snapshotInterval: configuration.snapshotInterval)
            try changes(&builder)
            let issuedAt = Int64(now.timeIntervalSince1970)
            let output = try builder.finish(endChunk: endChunk) { root, id in
                (try signer.sign(root: root, id: id, issuedAt: issuedAt), signer.nodeID, certificate)
            }
            do {
                try log.append(output.batch)
                try log.settle()
            } catch {
                throw LedgerError(.inputOutput, "the ledger cannot be created: \(error.reason)")
            }
            state = output.state
            additions.append(
                Indexer.Addition(leaves: output.leaves, rows: output.rows, signature: output.signature))
        }
        // Two batches, because the operator acknowledges a root that has been signed. A crash between them is
        // finished by the next start.
        if endorsed == nil { try write(endChunk: false) { _ = try $0.append(genesis.creation) } }
        guard let signed = state.flushed.root() else { throw LedgerError(.corrupt, "genesis has no root") }
        try write(endChunk: true) { builder in
            _ = try builder.append(genesis.acknowledgement(of: signed))
            _ = try builder.append(try genesis.opening(builder.state.ledger))
        }
        logger.notice(
            "a new ledger was created",
            metadata: ["name": "\(settings.name)", "type": "\(settings.type)", "directory": "\(directory.path)"])
    }

    /// Without a named administrator there would be nobody who can add the first user.
    private func makeAdministrator(_ directory: DataDirectory, now: Date) throws -> String {
        if let stored = try DurableFile.read(directory.administrator, limit: 65_536) {
            return try CertificateMaker.fingerprint(pem: String(decoding: stored, as: UTF8.self))
        }
        let key = P384.Signing.PrivateKey()
        let certificate = try CertificateMaker.selfSigned(
            key: Certificate.PrivateKey(key), commonName: "Indelible administrator", now: now)
        try DurableFile.write(
            Array((certificate + key.pemRepresentation + "\n").utf8), to: directory.administrator, disk: disk)
        let userID = try CertificateMaker.fingerprint(pem: certificate)
        logger.notice(
            "an administrator was made because none was named",
            metadata: ["file": "\(directory.administrator)", "userId": "\(userID)"])
        return userID
    }
}
