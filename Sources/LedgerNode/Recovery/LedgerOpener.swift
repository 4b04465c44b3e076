import Crypto
import Foundation
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
        try directory.prepare()
        let settings = try openSettings(directory)
        var configuration = configuration
        configuration.ledgerType = settings.ledgerType
        let keyring = try openKeyring(directory, name: settings.name)
        let serviceCertificate = Array(keyring.serviceCertificatePEM.utf8)
        if try DurableFile.read(directory.serviceCertificate, limit: 65_536) != serviceCertificate {
            try DurableFile.write(serviceCertificate, to: directory.serviceCertificate, mode: 0o644, disk: disk)
        }
        let catalog = ChunkCatalog(directory: directory.ledger)
        let (recovered, index) = try recover(directory, keyring, catalog)
        var state = recovered.state
        for note in recovered.notes { logger.warning("\(note)") }
        if configuration.verifyOnStart, catalog.last > .zero { try verifyAll(directory, keyring) }

        let viewFile = ViewFile(path: directory.view, disk: disk)
        let isNew = state.next.seqno == SequenceNumber(1)
        let highest = try max(viewFile.read() ?? View(0), recovered.highestView)
        state.view =
            try isNew && viewFile.read() == nil
            ? .initial : View(max(highest.rawValue + 1, View.initial.rawValue))
        try viewFile.write(state.view)

        let log = try FileLog(catalog: catalog, scratch: directory.scratch, disk: disk, mustComplete: false)
        let signer = RootSigner(keyring: keyring)
        var additions: [Indexer.Addition] = []
        let status = try state.ledger.store.value(.serviceInfo, zeroKey).map { try ServiceInfo(decoding: $0).status }
        if status != .open {
            try create(
                directory, settings, configuration, keyring, signer, log: log, state: &state, additions: &additions)
        } else if !configuration.administratorCertificates.isEmpty {
            logger.info("administrator certificates are only used when a ledger is created; users live in the ledger")
        }

        let published = PublishedState(state.ledger)
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
            startup: state.ledger.last.seqno, startupNotes: recovered.notes, logger: logger)
    }

    // MARK: Settings and keys

    private func validate() throws {
        let name = configuration.name.utf8
        guard (3...35).contains(name.count),
            name.allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
            })
        else {
            throw LedgerError(.invalidInput, "name: 3 to 35 letters, digits and hyphens are required")
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
            let hasChunks = try FileManager.default.contentsOfDirectory(atPath: directory.ledger).contains {
                ChunkName(fileName: $0) != nil
            }
            guard !hasChunks else {
                throw LedgerError(
                    .corrupt, "\(directory.settings) is missing, but \(directory.ledger) holds a ledger")
            }
            let settings = NodeSettings(name: configuration.name, ledgerType: configuration.ledgerType ?? .private)
            try settings.write(directory.settings, disk: disk)
            return settings
        }
        if let wanted = configuration.ledgerType, wanted != settings.ledgerType {
            throw LedgerError(
                .configurationMismatch,
                "this ledger was created as \(settings.ledgerType.rawValue) and cannot be opened as \(wanted.rawValue): "
                    + "the type is fixed at creation")
        }
        return settings
    }

    private func openKeyring(_ directory: DataDirectory, name: String) throws -> Keyring {
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
        if let stored { return try Keyring(opening: stored, key: key, path: directory.keyring) }
        let hasChunks = try FileManager.default.contentsOfDirectory(atPath: directory.ledger).contains {
            $0.hasSuffix(".committed")
        }
        guard !hasChunks else {
            throw LedgerError(.corrupt, "\(directory.keyring) is missing, but \(directory.ledger) holds a ledger")
        }
        let keyring = try Keyring.generate(name: name, now: Date())
        try DurableFile.write(try keyring.sealed(with: key), to: directory.keyring, disk: disk)
        return keyring
    }

    // MARK: Recovery

    private typealias Index = (entries: EntryIndex, merkle: MerkleStore, signatures: SignatureIndex)

    private func openIndex(_ directory: DataDirectory) throws -> Index {
        (
            try EntryIndex(path: directory.entryIndex), try MerkleStore(directory: directory.merkle),
            try SignatureIndex(path: directory.signatureIndex)
        )
    }

    private func recover(
        _ directory: DataDirectory, _ keyring: Keyring, _ catalog: ChunkCatalog
    ) throws -> (LedgerRecovery.Result, Index) {
        var index: Index
        var anchor = SequenceNumber.zero
        var isUsable = !FileManager.default.fileExists(atPath: directory.staleMarker)
        do {
            index = try openIndex(directory)
            anchor = try index.entries.indexedTo()
        } catch {
            logger.warning("the derived index cannot be used and is rebuilt", metadata: ["error": "\(error)"])
            try directory.removeIndex()
            index = try openIndex(directory)
            isUsable = false
        }
        func recovery(_ index: Index) -> LedgerRecovery {
            LedgerRecovery(
                directory: directory, catalog: catalog, keyring: keyring, disk: disk, entries: index.entries,
                merkle: index.merkle, signatures: index.signatures, idempotencyWindow: configuration.idempotencyWindow,
                anchor: anchor)
        }
        let open = try recovery(index).registerChunks()
        let start = try SnapshotLoader(directory: directory, catalog: catalog, keyring: keyring, logger: logger)
            .newest()
        if let start, isUsable, try fits(index, start, indexedTo: anchor) {
            return (try recovery(index).replay(from: start, open: open), index)
        }
        // Without a snapshot that the derived files agree with, everything is read again from the first transaction.
        if anchor > .zero || start != nil {
            logger.notice("the derived index is rebuilt from the ledger; this reads all of it")
        }
        try index.entries.close()
        try directory.removeIndex()
        index = try openIndex(directory)
        return (try recovery(index).replay(from: nil, open: open), index)
    }

    /// Whether the derived files hold exactly the tree that the snapshot's signature signed.
    private func fits(_ index: Index, _ start: SnapshotStart, indexedTo: SequenceNumber) throws -> Bool {
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
