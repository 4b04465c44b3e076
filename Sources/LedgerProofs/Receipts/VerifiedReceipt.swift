/// What a receipt proves. Only `ReceiptVerifier` makes one.
public struct VerifiedReceipt: Hashable, Sendable {
    /// The key that signed the root.
    public enum Signer: Hashable, Sendable {
        /// A node, by its node id. JSON receipts.
        case node(String)
        /// The service, by its key id. COSE receipts.
        case service(String)
    }

    /// The transaction that the commit evidence names; `nil` for the receipt of a signature transaction, which
    /// proves its root only.
    public let transactionID: TransactionID?
    /// The leaf from which the proof started; equal to `root` for a signature transaction.
    public let leaf: Digest32
    /// The signed Merkle root.
    public let root: Digest32
    public let signer: Signer
    /// `nil` for the receipt of a signature transaction.
    public let claimsDigest: Digest32?
    /// Whether claims were given and agreed with `claimsDigest`.
    public let claimsChecked: Bool
    /// Things that do not make the receipt false, such as certificate dates.
    public let notes: [VerificationFinding]

    /// The node id of a JSON receipt's signer.
    public var nodeID: String? {
        if case .node(let id) = signer { id } else { nil }
    }

    /// The key id of a COSE receipt's signer.
    public var serviceKeyID: String? {
        if case .service(let id) = signer { id } else { nil }
    }

    init(
        transactionID: TransactionID?, leaf: Digest32, root: Digest32, signer: Signer, claimsDigest: Digest32?,
        claimsChecked: Bool, notes: [VerificationFinding]
    ) {
        self.transactionID = transactionID
        self.leaf = leaf
        self.root = root
        self.signer = signer
        self.claimsDigest = claimsDigest
        self.claimsChecked = claimsChecked
        self.notes = notes
    }
}
