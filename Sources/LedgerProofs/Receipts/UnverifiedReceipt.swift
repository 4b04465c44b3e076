/// A JSON receipt that was read but not verified. `ReceiptVerifier` turns it into a `VerifiedReceipt`.
///
/// Documentation/spec/receipt-json.md
public struct UnverifiedReceipt: Hashable, Sendable {
    /// What the proof starts from.
    public enum Leaf: Hashable, Sendable {
        case components(LeafComponents)
        /// The receipt of a signature transaction: the root that it signed. The proof is empty.
        case signedRoot(Digest32)

        /// The digest from which the proof starts.
        public var digest: Digest32 {
            switch self {
            case .components(let components): components.leaf()
            case .signedRoot(let root): root
            }
        }
    }

    public var leaf: Leaf
    public var proof: InclusionProof
    /// DER ECDSA signature of the node over the root.
    public var signature: [UInt8]
    /// 64 hexadecimal digits, or `nil` when the receipt does not name the node.
    public var nodeID: String?
    /// The node's certificate.
    public var certificatePEM: String
    /// From the service that signed the node's certificate to the current one, oldest first. Empty when the
    /// service never changed its key.
    public var serviceEndorsements: [String]

    public init(
        leaf: Leaf, proof: InclusionProof, signature: [UInt8], nodeID: String?, certificatePEM: String,
        serviceEndorsements: [String] = []
    ) {
        self.leaf = leaf
        self.proof = proof
        self.signature = signature
        self.nodeID = nodeID
        self.certificatePEM = certificatePEM
        self.serviceEndorsements = serviceEndorsements
    }

    /// The root to which the proof leads.
    public func root() -> Digest32 { proof.root(of: leaf.digest) }
}
