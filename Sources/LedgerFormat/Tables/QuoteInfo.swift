import LedgerProofs

/// The attestation evidence of a node, part of `nodes.info` (CCF ledger format 3.3).
public struct QuoteInfo: TableRow {
    /// `OE_SGX_v1`, `AMD_SEV_SNP_v1` or `Insecure_Virtual`.
    public var format: String
    public var quote: [UInt8]
    public var endorsements: [UInt8]
    public var uvmEndorsements: [UInt8]?
    /// Hexadecimal text.
    public var endorsedTCB: String?

    public init(
        format: String, quote: [UInt8], endorsements: [UInt8] = [], uvmEndorsements: [UInt8]? = nil,
        endorsedTCB: String? = nil
    ) {
        self.format = format
        self.quote = quote
        self.endorsements = endorsements
        self.uvmEndorsements = uvmEndorsements
        self.endorsedTCB = endorsedTCB
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) { try self.init(JSONValue(decoding: bytes)) }

    init(_ value: JSONValue) throws(LedgerFormatError) {
        let fields = try JSONFields(value, row: "quote_info")
        format = try fields.string("format")
        quote = try fields.base64("quote")
        endorsements = try fields.base64("endorsements")
        uvmEndorsements = try fields.optionalBase64("uvm_endorsements")
        endorsedTCB = try fields.optionalString("endorsed_tcb")
    }

    var value: JSONValue {
        var object = JSONObjectBuilder()
        object.set("format", format)
        object.set("quote", base64: quote)
        object.set("endorsements", base64: endorsements)
        object.set("uvm_endorsements", base64: uvmEndorsements)
        object.set("endorsed_tcb", endorsedTCB)
        return object.value
    }

    public func encoded() -> [UInt8] { value.encoded() }
}
