import LedgerProofs

/// A row of `public:ccf.gov.members.acks`; the key is the member id.
public struct MemberAck: TableRow {
    /// Hexadecimal text, empty until the member asked for it.
    public var stateDigest: String
    public var coseSign1Request: [UInt8]?

    public init(stateDigest: String, coseSign1Request: [UInt8]? = nil) {
        self.stateDigest = stateDigest
        self.coseSign1Request = coseSign1Request
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "members.acks")
        stateDigest = try fields.string("state_digest")
        coseSign1Request = try fields.optionalBase64("cose_sign1_req")
    }

    public func encoded() -> [UInt8] {
        var object = JSONObjectBuilder()
        object.set("state_digest", stateDigest)
        object.set("cose_sign1_req", base64: coseSign1Request)
        return object.encoded()
    }
}
