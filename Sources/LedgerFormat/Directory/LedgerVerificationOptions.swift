import LedgerProofs

/// What to check beyond the files themselves.
public struct LedgerVerificationOptions: Sendable {
    /// Read chunks that are not committed too: the complete ones and the open one. Without it they are left out,
    /// and files with other names are no findings.
    public var includeOpen = true
    /// PEM. The newest service certificate of the ledger must have this key, the newest signature must be made under it,
    /// and a former identity must be endorsed by the one that took over.
    public var expectedServiceCertificatePEM: String?
    /// With secrets, the GCM tags and commit evidence digests of the transactions they cover are checked.
    public var secrets = LedgerSecrets.none
    /// Transactions that must be in the ledger.
    public var expectedReceipts: [LedgerAnchor] = []
    /// Accept the deprecated entry types 0 and 3, as CCF's tool does unless told otherwise.
    public var allowDeprecatedEntries = false
    public var limits = FormatLimits.standard
    /// Findings beyond this number are counted, not kept.
    public var maximumFindings = 1000
    /// Bytes read at once. At least one whole entry is always held.
    public var windowByteCount = 1 << 20
    /// Windows that may wait for the audit, beside the one that is being read.
    var windowsAhead = 1
    /// Bytes that one thread scans in one go.
    var unitByteCount = 32 << 10
    /// Threads beside the caller's; one less than there are cores unless it is set.
    var helpers: Int?

    public init() {}
}
