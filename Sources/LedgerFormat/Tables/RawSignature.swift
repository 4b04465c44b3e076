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

    /// Writes the historic fields too: commit view and seqno 0, a nonce digest of zeros. By hand, in the order of the
    /// names, because every batch ends with one.
    public func encoded() -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity((certificate?.utf8.count ?? 0) + 512)
        out.append(UInt8(ascii: "{"))
        if let certificate {
            out.append(contentsOf: "\"cert\":".utf8)
            JSONEscaping.append(certificate, to: &out)
            out.append(UInt8(ascii: ","))
        }
        out.append(contentsOf: "\"commit_seqno\":0,\"commit_view\":0,\"hashed_nonce\":\"".utf8)
        out.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 64))
        out.append(contentsOf: "\",\"node\":".utf8)
        JSONEscaping.append(node, to: &out)
        out.append(contentsOf: ",\"root\":\"\(root.hex)\",\"seqno\":\(id.seqno.rawValue),\"sig\":\"".utf8)
        out.append(contentsOf: Base64.encode(signature).utf8)
        out.append(contentsOf: "\",\"view\":\(id.view.rawValue)}".utf8)
        return out
    }
}
