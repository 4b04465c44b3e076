import LedgerProofs

/// The row of `public:ccf.gov.service.info` (CCF ledger format 3.3).
public struct ServiceInfo: TableRow {
    /// PEM of the service certificate. COSE signatures from this row on are checked with its key.
    public var certificate: String
    public var status: ServiceStatus
    /// The transaction that created this service identity.
    public var currentServiceCreateTransaction: TransactionID?
    public var recoveryCount: UInt64?
    public var previousServiceIdentityVersion: UInt64?
    public var serviceData: JSONValue?

    public init(
        certificate: String, status: ServiceStatus, currentServiceCreateTransaction: TransactionID? = nil,
        recoveryCount: UInt64? = 0, previousServiceIdentityVersion: UInt64? = nil, serviceData: JSONValue? = nil
    ) {
        self.certificate = certificate
        self.status = status
        self.currentServiceCreateTransaction = currentServiceCreateTransaction
        self.recoveryCount = recoveryCount
        self.previousServiceIdentityVersion = previousServiceIdentityVersion
        self.serviceData = serviceData
    }

    /// Only certificate and status. Verifying needs no other field, and those of other CCF versions may have another
    /// form.
    init(identityOf bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "service.info")
        self.init(
            certificate: try fields.string("cert"), status: ServiceStatus(rawValue: try fields.string("status")),
            recoveryCount: nil)
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "service.info")
        certificate = try fields.string("cert")
        status = ServiceStatus(rawValue: try fields.string("status"))
        currentServiceCreateTransaction = try fields.optionalTransaction("current_service_create_txid")
        recoveryCount = try fields.optionalUnsigned("recovery_count")
        previousServiceIdentityVersion = try fields.optionalUnsigned("previous_service_identity_version")
        serviceData = fields.members["service_data"]
    }

    public func encoded() -> [UInt8] {
        var object = JSONObjectBuilder()
        object.set("cert", certificate)
        object.set("status", status.rawValue)
        object.set("current_service_create_txid", currentServiceCreateTransaction)
        object.set("recovery_count", recoveryCount)
        object.set("previous_service_identity_version", previousServiceIdentityVersion)
        object.set("service_data", serviceData)
        return object.encoded()
    }
}
