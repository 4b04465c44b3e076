/// A row of `public:ccf.gov.nodes.info`; the key is the node id (CCF ledger format 3.3).
///
/// Only `status` is needed to verify a ledger, so only `status` must be present when reading.
public struct NodeInfo: TableRow {
    public var status: NodeStatus
    /// PEM of the node key.
    public var publicKey: String?
    /// PEM.
    public var certificateSigningRequest: String?
    /// PEM of the RSA key to which ledger secrets are wrapped.
    public var encryptionPublicKey: String?
    public var quoteInfo: QuoteInfo?
    /// Hexadecimal text of the measurement.
    public var codeDigest: String?
    public var nodeToNodeInterface: JSONValue?
    /// Interfaces by name.
    public var rpcInterfaces: JSONValue?
    public var nodeHost: String?
    public var nodePort: String?
    public var rpcHost: String?
    public var rpcPort: String?
    public var pubHost: String?
    public var pubPort: String?
    public var ledgerSecretSeqno: UInt64?
    public var nodeData: JSONValue?
    /// Only ever `true`.
    public var retiredCommitted: Bool?
    public var willLocallySealLedgerSecrets: Bool?
    /// PEM; only in rows of CCF 1.x.
    public var certificate: String?

    public init(status: NodeStatus) { self.status = status }

    /// Only the status. Verifying needs no other field, and those of other CCF versions may have another form.
    static func status(of bytes: [UInt8]) throws(LedgerFormatError) -> NodeStatus {
        try status(JSONFields(bytes, row: "nodes.info"))
    }

    private static func status(_ fields: JSONFields) throws(LedgerFormatError) -> NodeStatus {
        guard let status = NodeStatus(rawValue: try fields.string("status")) else {
            throw LedgerFormatError(.table, "field status of nodes.info must be Pending, Trusted or Retired")
        }
        return status
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "nodes.info")
        status = try NodeInfo.status(fields)
        publicKey = try fields.optionalString("public_key")
        certificateSigningRequest = try fields.optionalString("certificate_signing_request")
        encryptionPublicKey = try fields.optionalString("encryption_pub_key")
        if let quote = fields.members["quote_info"] { quoteInfo = try QuoteInfo(quote) }
        codeDigest = try fields.optionalString("code_digest")
        nodeToNodeInterface = try fields.optionalObject("node_to_node_interface").map { .object($0) }
        rpcInterfaces = try fields.optionalObject("rpc_interfaces").map { .object($0) }
        nodeHost = try fields.optionalString("nodehost")
        nodePort = try fields.optionalString("nodeport")
        rpcHost = try fields.optionalString("rpchost")
        rpcPort = try fields.optionalString("rpcport")
        pubHost = try fields.optionalString("pubhost")
        pubPort = try fields.optionalString("pubport")
        ledgerSecretSeqno = try fields.optionalUnsigned("ledger_secret_seqno")
        nodeData = fields.members["node_data"]
        retiredCommitted = try fields.optionalBool("retired_committed")
        willLocallySealLedgerSecrets = try fields.optionalBool("will_locally_seal_ledger_secrets")
        certificate = try fields.optionalString("cert")
    }

    public func encoded() -> [UInt8] {
        var object = JSONObjectBuilder()
        object.set("status", status.rawValue)
        object.set("public_key", publicKey)
        object.set("certificate_signing_request", certificateSigningRequest)
        object.set("encryption_pub_key", encryptionPublicKey)
        object.set("quote_info", quoteInfo?.value)
        object.set("code_digest", codeDigest)
        object.set("node_to_node_interface", nodeToNodeInterface)
        object.set("rpc_interfaces", rpcInterfaces)
        object.set("nodehost", nodeHost)
        object.set("nodeport", nodePort)
        object.set("rpchost", rpcHost)
        object.set("rpcport", rpcPort)
        object.set("pubhost", pubHost)
        object.set("pubport", pubPort)
        object.set("ledger_secret_seqno", ledgerSecretSeqno)
        object.set("node_data", nodeData)
        object.set("retired_committed", retiredCommitted)
        object.set("will_locally_seal_ledger_secrets", willLocallySealLedgerSecrets)
        object.set("cert", certificate)
        return object.encoded()
    }
}
