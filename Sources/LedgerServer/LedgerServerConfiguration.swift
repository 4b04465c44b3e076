/// Everything the server needs besides the ledger. Values only.
public struct LedgerServerConfiguration: Sendable {
    /// An address or host name to bind.
    public var host: String
    /// 0 lets the operating system choose; see `LedgerServer.boundPort`.
    public var port: Int
    public var limits = ServerLimits()
    /// Token issuers. Empty: bearer tokens are refused.
    public var issuers: [TokenIssuer] = []
    /// Values of `aud` that are accepted, each with or without a final slash.
    public var audiences: [String] = ["https://confidential-ledger.azure.com"]
    /// Allowed difference between the issuer's clock and ours, for `exp` and `nbf`.
    public var clockSkew: Duration = .seconds(60)
    /// Serve constitution, members and quotes without authentication, for clients that attest first.
    public var anonymousGovernance = false
    /// Serve chunks and snapshots without authentication. In a public ledger they hold contents in clear.
    public var anonymousDownloads = false
    /// Host names besides the ledger's name under which the identity endpoint knows this ledger.
    public var identityNames: [String] = []
    /// How long a write is held for its commit before it is answered as accepted.
    public var commitWait: Duration = .seconds(5)
    /// The same for `waitForCommit=true`.
    public var longCommitWait: Duration = .seconds(30)
    /// Adds `POST /benchmark/empty`: reads the body and answers a constant. For measuring only.
    public var benchmarkRoute = false

    public init(host: String = "127.0.0.1", port: Int = 8443) {
        self.host = host
        self.port = port
    }
}
