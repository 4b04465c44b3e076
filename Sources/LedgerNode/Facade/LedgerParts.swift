import Foundation
import LedgerFormat
import LedgerProofs
import Logging
import Synchronization

/// The running pieces of one open ledger and how they are stopped.
final class LedgerParts: Sendable {
    let directory: DataDirectory
    let settings: NodeSettings
    let configuration: NodeConfiguration
    let keyring: Keyring
    let lock: DirectoryLock
    let catalog: ChunkCatalog
    let indexer: Indexer
    let reader: HistoricalReader
    let published: PublishedState
    let inbox: Inbox
    let sequencer: Sequencer
    let requests: IdempotencyCache
    let snapshots: SnapshotKeeper
    let startup: SequenceNumber
    let startupNotes: [String]
    let logger: Logger
    let publishedAddress: Mutex<String>
    private let selfSignedCertificatePEM: String
    private let stopping = OnceFlag()
    /// Room for a batch of some size.
    private static let roomByteCount = 256 << 10

    init(
        directory: DataDirectory, settings: NodeSettings, configuration: NodeConfiguration, keyring: Keyring,
        lock: DirectoryLock, catalog: ChunkCatalog, indexer: Indexer, reader: HistoricalReader,
        published: PublishedState, inbox: Inbox, sequencer: Sequencer, requests: IdempotencyCache,
        snapshots: SnapshotKeeper, startup: SequenceNumber, startupNotes: [String], logger: Logger
    ) {
        self.directory = directory
        self.settings = settings
        self.configuration = configuration
        self.keyring = keyring
        self.lock = lock
        self.catalog = catalog
        self.indexer = indexer
        self.reader = reader
        self.published = published
        self.inbox = inbox
        self.sequencer = sequencer
        self.requests = requests
        self.snapshots = snapshots
        self.startup = startup
        self.startupNotes = startupNotes
        self.logger = logger
        self.publishedAddress = Mutex(configuration.publishedAddress)
        self.selfSignedCertificatePEM =
            (try? CertificateMaker.selfSigned(
                key: keyring.nodeCertificateKey, commonName: "CCF Node",
                names: Self.certificateNames(settings, configuration), now: Date())) ?? ""
    }

    func start() {
        indexer.start()
        sequencer.start()
    }

    /// Blocks until waiting writes are finished and the index is complete. The second call waits for the first.
    func stop() {
        stopping.once {
            inbox.close()
            sequencer.join()
            snapshots.close()
            indexer.close()
            // Left undone, the next start has it in the write-ahead log.
            try? indexer.entries.checkpoint()
            try? indexer.entries.close()
            lock.release()
        }
    }

    /// Answers writes whose bounded wait is over.
    func expireOverdue(at now: ContinuousClock.Instant) {
        for write in inbox.removeExpired(at: now) {
            write.ticket.finish(
                .failure(LedgerError(.overloaded, "the write was not sequenced in time; nothing was written")))
        }
        sequencer.expireInFlight(at: now)
        inbox.lookAtClock()
        indexer.lookAtClock()
    }

    /// After a write that found the disk full: whether there is room again, so that whoever stays away until the node is
    /// well learns of it. Blocks.
    func lookForRoom() {
        guard inbox.writeTrouble?.isDiskFull == true else { return }
        let path = directory.scratch + "/room"
        defer { unlink(path) }
        do {
            let zeros = [UInt8](repeating: 0, count: Self.roomByteCount)
            try DurableFile.write(zeros, to: path, disk: PosixDisk())
            inbox.writeTrouble = nil
        } catch {
            return
        }
    }

    /// All names and addresses the node certificate must carry.
    var certificateNames: [String] { Self.certificateNames(settings, configuration) }

    static func certificateNames(_ settings: NodeSettings, _ configuration: NodeConfiguration) -> [String] {
        var names: [String] = []
        for given in [settings.name, "localhost", "127.0.0.1", "::1"] + configuration.subjectAlternativeNames {
            // As they are read back out of a certificate: an IPv6 address has many spellings.
            let name = CertificateMaker.plain(given)
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// PEM of the newest endorsed certificate of this node.
    func nodeCertificate() -> String {
        published.ask { state in
            String(
                decoding: state.store.value(.nodesEndorsedCertificates, Array(keyring.nodeID.utf8)) ?? [],
                as: UTF8.self)
        }
    }

    func information() -> NodeInformation {
        let state = published.current
        let service = state.store.value(.serviceInfo, zeroKey).flatMap { try? ServiceInfo(decoding: $0) }
        let members = state.store.rows(.membersCerts).map { key, row in
            let status = state.store.value(.membersInfo, key).flatMap { try? MemberInfo(decoding: $0) }
            return (
                id: String(decoding: key, as: UTF8.self), certificatePEM: String(decoding: row.value, as: UTF8.self),
                status: status?.status ?? "Accepted"
            )
        }.sorted { $0.id < $1.id }
        let nodeKey = Array(keyring.nodeID.utf8)
        return NodeInformation(
            name: settings.name, ledgerType: settings.ledgerType, nodeID: keyring.nodeID, view: state.last.view,
            committed: state.last, lastSigned: state.last.seqno, startup: startup,
            serviceStatus: service?.status.rawValue ?? "Opening",
            serviceCertificatePEM: keyring.serviceCertificatePEM,
            serviceCreateID: service?.currentServiceCreateTransaction
                ?? TransactionID(view: .initial, seqno: SequenceNumber(1)),
            recoveryCount: Int(service?.recoveryCount ?? 0), nodeCertificatePEM: nodeCertificate(),
            selfSignedNodeCertificatePEM: selfSignedCertificatePEM,
            publishedAddress: publishedAddress.withLock { $0 },
            nodeLastWritten: state.store.version(.nodesInfo, nodeKey) ?? .zero,
            constitution: state.store.value(.constitution, zeroKey)
                .flatMap { try? JSONText(decoding: $0).text } ?? "",
            members: members, viewHistory: state.viewHistory,
            quote: VirtualQuote.make(reportData: keyring.nodeKeyDigest),
            serviceConfigurationJSON: String(
                decoding: state.store.value(.serviceConfig, zeroKey) ?? Array("{}".utf8), as: UTF8.self),
            signatureTransactionCount: indexer.signatures.count, waitingWrites: inbox.outstanding,
            writeRefusal: inbox.writeRefusal, startupNotes: startupNotes,
            writeTrouble: inbox.writeTrouble?.reason ?? sequencer.committer.delay(at: .now),
            readTrouble: reader.damage ?? indexer.trouble)
    }
}
