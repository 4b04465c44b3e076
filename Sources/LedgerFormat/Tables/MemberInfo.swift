/// A row of `public:ccf.gov.members.info`; the key is the member id.
public struct MemberInfo: TableRow {
    /// `Accepted` or `Active`.
    public var status: String
    public var memberData: JSONValue?
    public var recoveryRole: String?

    public init(status: String, memberData: JSONValue? = nil, recoveryRole: String? = nil) {
        self.status = status
        self.memberData = memberData
        self.recoveryRole = recoveryRole
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "members.info")
        status = try fields.string("status")
        memberData = fields.members["member_data"]
        recoveryRole = try fields.optionalString("recovery_role")
    }

    public func encoded() -> [UInt8] {
        var object = JSONObjectBuilder()
        object.set("status", status)
        object.set("member_data", memberData)
        object.set("recovery_role", recoveryRole)
        return object.encoded()
    }
}
