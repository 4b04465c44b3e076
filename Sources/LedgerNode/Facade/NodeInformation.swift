import Foundation
import LedgerProofs

/// What `/node/...` and the quotes endpoint tell about this node and its service. A consistent snapshot.
public struct NodeInformation: Sendable {
    public var name: String
    public var ledgerType: NodeConfiguration.LedgerType
    /// Hex SHA-256 of the node key's DER SubjectPublicKeyInfo.
    public var nodeID: String
    public var view: View
    /// The newest durable and signed transaction.
    public var committed: TransactionID
    public var lastSigned: SequenceNumber
    /// The seqno this process started from.
    public var startup: SequenceNumber
    public var serviceStatus: String
    public var serviceCertificatePEM: String
    public var serviceCreateID: TransactionID
    public var recoveryCount: Int
    public var nodeCertificatePEM: String
    public var selfSignedNodeCertificatePEM: String
    public var publishedAddress: String
    /// seqno of the last write of this node's row in `nodes.info`.
    public var nodeLastWritten: SequenceNumber
    public var constitution: String
    public var members: [(id: String, certificatePEM: String, status: String)]
    /// First transaction of each view, oldest first.
    public var viewHistory: [TransactionID]
    public var quote: NodeQuote
    /// The row of `service.config`, as it stands in the ledger.
    public var serviceConfigurationJSON: String
    /// Signature transactions that the index knows, each the end of one batch.
    public var signatureTransactionCount: UInt64
    /// Writes that wait, or are in a batch that is not durable yet.
    public var waitingWrites: Int
    /// `nil` while writes are accepted; else why not (disk error, draining).
    public var writeRefusal: String?
    /// Why the last batch was not written, while the node goes on trying (a full disk), or why the oldest write is not
    /// durable yet after ten seconds; `nil` once one was.
    public var writeTrouble: String?
    /// What keeps reads from being answered in full: damage found in the ledger, or an index that cannot be written.
    public var readTrouble: String?
    /// Why the set of files after the last valid signature was set aside at start, if it was.
    public var startupNotes: [String]

    /// When the certificates that clients see end: which one, and seconds since 1970.
    public var certificateEnds: [(certificate: String, end: Int64)] {
        [("node", nodeCertificatePEM), ("service", serviceCertificatePEM)].compactMap { name, pem in
            (try? CertificateMaker.facts(pem: pem)).map { (name, Int64($0.notAfter.timeIntervalSince1970)) }
        }
    }

    /// Writes are accepted, and the last one was not refused by the disk.
    public var acceptsWrites: Bool { writeRefusal == nil && writeTrouble == nil }

    public init(
        name: String, ledgerType: NodeConfiguration.LedgerType, nodeID: String, view: View, committed: TransactionID,
        lastSigned: SequenceNumber, startup: SequenceNumber, serviceStatus: String, serviceCertificatePEM: String,
        serviceCreateID: TransactionID, recoveryCount: Int, nodeCertificatePEM: String,
        selfSignedNodeCertificatePEM: String, publishedAddress: String, nodeLastWritten: SequenceNumber,
        constitution: String, members: [(id: String, certificatePEM: String, status: String)],
        viewHistory: [TransactionID], quote: NodeQuote, serviceConfigurationJSON: String,
        signatureTransactionCount: UInt64, waitingWrites: Int, writeRefusal: String?, startupNotes: [String],
        writeTrouble: String? = nil, readTrouble: String? = nil
    ) {
        self.name = name
        self.ledgerType = ledgerType
        self.nodeID = nodeID
        self.view = view
        self.committed = committed
        self.lastSigned = lastSigned
        self.startup = startup
        self.serviceStatus = serviceStatus
        self.serviceCertificatePEM = serviceCertificatePEM
        self.serviceCreateID = serviceCreateID
        self.recoveryCount = recoveryCount
        self.nodeCertificatePEM = nodeCertificatePEM
        self.selfSignedNodeCertificatePEM = selfSignedNodeCertificatePEM
        self.publishedAddress = publishedAddress
        self.nodeLastWritten = nodeLastWritten
        self.constitution = constitution
        self.members = members
        self.viewHistory = viewHistory
        self.quote = quote
        self.serviceConfigurationJSON = serviceConfigurationJSON
        self.signatureTransactionCount = signatureTransactionCount
        self.waitingWrites = waitingWrites
        self.writeRefusal = writeRefusal
        self.startupNotes = startupNotes
        self.writeTrouble = writeTrouble
        self.readTrouble = readTrouble
    }
}
