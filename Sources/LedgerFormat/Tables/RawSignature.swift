import LedgerProofs

/// The row of `public:ccf.internal.signatures` (CCF ledger format 3.4).
public struct RawSignature: TableRow {
    /// Hexadecimal node id of the signer.
    public var node: String
    /// The id of the signature transaction itself.
    public var id: TransactionID
    /// The root over all leaves before this transaction.
    public var root: Digest32
    /// ASN.1 DER.
    public var signature: [UInt8]
    /// PEM of the node certificate. Optional on disk.
    public var certificate: String?

    public init(node: String, id: TransactionID, root: Digest32, signature: [UInt8], certificate: String?) {
        self.node = node
        self.id = id
        self.root = root
        self.signature = signature
        self.certificate = certificate
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "internal.signatures")
        node = try fields.string("node")
        let view = try fields.unsigned("view")
        guard let view = UInt32(exactly: view) else {
            throw LedgerFormatError(.table, "field view of internal.signatures is out of range")
        }
        id = TransactionID(view: View(view), seqno: SequenceNumber(try fields.unsigned("seqno")))
        root = try fields.digest("root")
        signature = try fields.base64("sig")
        certificate = try fields.optionalString("cert")
    }

    /// Writes the historic fields too: commit view and seqno 0, a nonce digest of zeros.
    public func encoded() -> [UInt8] {
        var object = JSONObjectBuilder()
        object.set("cert", certificate)
        object.set("commit_seqno", 0)
        object.set("commit_view", 0)
        object.set("hashed_nonce", Digest32.zero.hex)
        object.set("node", node)
        object.set("root", root.hex)
        object.set("seqno", id.seqno.rawValue)
        object.set("sig", base64: signature)
        object.set("view", UInt64(id.view.rawValue))
        return object.encoded()
    }
}
