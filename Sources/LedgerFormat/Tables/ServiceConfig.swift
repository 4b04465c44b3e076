/// The row of `public:ccf.gov.service.config` (CCF ledger format 3.3).
public struct ServiceConfig: TableRow {
    public var recoveryThreshold: UInt64?
    public var maximumNodeCertificateValidityDays: UInt64?
    public var maximumServiceCertificateValidityDays: UInt64?
    public var recentCOSEProposalsWindowSize: UInt64?

    public init(
        recoveryThreshold: UInt64? = 0, maximumNodeCertificateValidityDays: UInt64? = 365,
        maximumServiceCertificateValidityDays: UInt64? = 365, recentCOSEProposalsWindowSize: UInt64? = nil
    ) {
        self.recoveryThreshold = recoveryThreshold
        self.maximumNodeCertificateValidityDays = maximumNodeCertificateValidityDays
        self.maximumServiceCertificateValidityDays = maximumServiceCertificateValidityDays
        self.recentCOSEProposalsWindowSize = recentCOSEProposalsWindowSize
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "service.config")
        recoveryThreshold = try fields.optionalUnsigned("recovery_threshold")
        maximumNodeCertificateValidityDays = try fields.optionalUnsigned("maximum_node_certificate_validity_days")
        maximumServiceCertificateValidityDays = try fields.optionalUnsigned(
            "maximum_service_certificate_validity_days")
        recentCOSEProposalsWindowSize = try fields.optionalUnsigned("recent_cose_proposals_window_size")
    }

    public func encoded() -> [UInt8] {
        var object = JSONObjectBuilder()
        object.set("recovery_threshold", recoveryThreshold)
        object.set("maximum_node_certificate_validity_days", maximumNodeCertificateValidityDays)
        object.set("maximum_service_certificate_validity_days", maximumServiceCertificateValidityDays)
        object.set("recent_cose_proposals_window_size", recentCOSEProposalsWindowSize)
        return object.encoded()
    }
}
