// The tables of CCF's table list that this project reads or writes.
extension MapName {
    // Governance
    public static let constitution = MapName("public:ccf.gov.constitution")
    public static let membersCerts = MapName("public:ccf.gov.members.certs")
    public static let membersInfo = MapName("public:ccf.gov.members.info")
    public static let membersAcks = MapName("public:ccf.gov.members.acks")
    public static let membersEncryptionPublicKeys = MapName("public:ccf.gov.members.encryption_public_keys")
    public static let usersCerts = MapName("public:ccf.gov.users.certs")
    public static let usersInfo = MapName("public:ccf.gov.users.info")
    public static let proposals = MapName("public:ccf.gov.proposals")
    public static let proposalsInfo = MapName("public:ccf.gov.proposals_info")
    public static let coseHistory = MapName("public:ccf.gov.cose_history")
    public static let coseRecentProposals = MapName("public:ccf.gov.cose_recent_proposals")
    public static let nodesInfo = MapName("public:ccf.gov.nodes.info")
    public static let nodesEndorsedCertificates = MapName("public:ccf.gov.nodes.endorsed_certificates")
    public static let nodesVirtualHostData = MapName("public:ccf.gov.nodes.virtual.host_data")
    public static let nodesVirtualMeasurements = MapName("public:ccf.gov.nodes.virtual.measurements")
    public static let nodesSNPHostData = MapName("public:ccf.gov.nodes.snp.host_data")
    public static let nodesSNPMeasurements = MapName("public:ccf.gov.nodes.snp.measurements")
    public static let serviceInfo = MapName("public:ccf.gov.service.info")
    public static let serviceConfig = MapName("public:ccf.gov.service.config")
    public static let previousServiceIdentity = MapName("public:ccf.gov.service.previous_service_identity")
    public static let jwtIssuers = MapName("public:ccf.gov.jwt.issuers")
    public static let jwtPublicSigningKeys = MapName("public:ccf.gov.jwt.public_signing_keys_metadata_v2")

    // Internal
    public static let signatures = MapName("public:ccf.internal.signatures")
    public static let coseSignatures = MapName("public:ccf.internal.cose_signatures")
    public static let tree = MapName("public:ccf.internal.tree")
    public static let snapshotEvidence = MapName("public:ccf.internal.snapshot_evidence")
    public static let historicalEncryptedLedgerSecret =
        MapName("public:ccf.internal.historical_encrypted_ledger_secret")
    public static let encryptedLedgerSecrets = MapName("public:ccf.internal.encrypted_ledger_secrets")
    public static let encryptedSubmittedShares = MapName("public:ccf.internal.encrypted_submitted_shares")
    public static let recoveryShares = MapName("public:ccf.internal.recovery_shares")
    public static let previousServiceIdentityEndorsement =
        MapName("public:ccf.internal.previous_service_identity_endorsement")
    public static let previousServiceLastSignedRoot =
        MapName("public:ccf.internal.previous_service_last_signed_root")
    public static let lastRecoveryType = MapName("public:ccf.internal.last_recovery_type")

    // Application
    public static let publicLogs = MapName("public:confidentialledger.logs")
    public static let privateLogs = MapName("private:confidentialledger.logs")
    public static let ledgerUsers = MapName("public:confidentialledger.users")
    public static let ledgerRoles = MapName("public:confidentialledger.roles")
}
