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
        if let row = Self.plain(bytes) { self = row } else { try self.init(general: bytes) }
    }

    /// The row as nodes write it, which every batch has one of: known names, each once, text and plain numbers. `nil`
    /// for everything else, which `init(general:)` reads or refuses, slower.
    static func plain(_ bytes: [UInt8]) -> RawSignature? {
        bytes.withUnsafeBytes { raw in
            do throws(JSONTextError) {
                var tokens = try JSONTokens(
                    raw, limits: DecodingLimits(maximumByteCount: .max, maximumDepth: 64, maximumItemCount: .max))
                return try plain(&tokens)
            } catch {
                return nil
            }
        }
    }

    private static func plain(_ tokens: inout JSONTokens) throws(JSONTextError) -> RawSignature? {
        var texts: (cert: String?, nonce: String?, node: String?, root: String?, signature: String?)
        var numbers: (commitSeqno: UInt64?, commitView: UInt64?, seqno: UInt64?, view: UInt64?)
        func text(_ value: inout String?) throws(JSONTextError) -> Bool {
            guard value == nil else { return false }
            value = try tokens.string()
            return true
        }
        func number(_ value: inout UInt64?) throws(JSONTextError) -> Bool {
            guard value == nil else { return false }
            let digits = try tokens.number()
            guard digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return false }
            value = UInt64(digits)
            return value != nil
        }
        try tokens.enter(UInt8(ascii: "{"))
        var isFirst = true
        while try tokens.hasNext(closing: UInt8(ascii: "}"), first: isFirst) {
            isFirst = false
            let name = try tokens.string()
            try tokens.expect(UInt8(ascii: ":"))
            let isPlain =
                switch name {
                case "cert": try text(&texts.cert)
                case "hashed_nonce": try text(&texts.nonce)
                case "node": try text(&texts.node)
                case "root": try text(&texts.root)
                case "sig": try text(&texts.signature)
                case "commit_seqno": try number(&numbers.commitSeqno)
                case "commit_view": try number(&numbers.commitView)
                case "seqno": try number(&numbers.seqno)
                case "view": try number(&numbers.view)
                default: false
                }
            guard isPlain else { return nil }
        }
        try tokens.expectEnd()
        guard let node = texts.node, let root = texts.root.flatMap({ Digest32(hex: $0) }),
            let signature = texts.signature.flatMap({ Base64.decode($0) }), let seqno = numbers.seqno,
            let view = numbers.view.flatMap({ UInt32(exactly: $0) })
        else { return nil }
        return RawSignature(
            node: node, id: TransactionID(view: View(view), seqno: SequenceNumber(seqno)), root: root,
            signature: signature, certificate: texts.cert)
    }

    /// Any JSON object with the fields, others beside them.
    init(general bytes: [UInt8]) throws(LedgerFormatError) {
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
