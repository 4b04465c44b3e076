/// Everything a node needs to open or create a ledger. Values only: nothing is read from the environment here.
public struct NodeConfiguration: Sendable {
    /// Whether contents are in clear in the ledger files or encrypted. Fixed at creation.
    public enum LedgerType: String, Sendable, CaseIterable {
        case `public`
        case `private`
    }

    /// How the keys in `DIR/keys` are protected at rest.
    public enum Sealing: Sendable {
        /// A key file beside the data, made on first start: protects against a copied key file only.
        case generatedKeyFile
        /// The bytes of a key file kept elsewhere.
        case key([UInt8])
        case passphrase(String)
    }

    /// The data directory. Created when missing; its parent must exist.
    public var directory: String
    /// The ledger id: letters, digits and hyphens, 3 to 35 characters. `nil`: what the directory has, or `indelible`
    /// for a new one.
    public var name: String?
    /// `nil`: what the directory has, or `private` for a new one.
    public var ledgerType: LedgerType?
    public var sealing: Sealing = .generatedKeyFile
    /// PEM certificates of the first administrators; only used when the ledger is created.
    public var administratorCertificates: [String] = []
    /// Host names and IP addresses for the node certificate besides the name, `localhost`, 127.0.0.1 and ::1.
    public var subjectAlternativeNames: [String] = []
    /// `host:port` as clients reach the node; recorded in `nodes.info`.
    public var publishedAddress: String = "127.0.0.1:8443"
    /// A chunk closes at the first signature after this many bytes. 4 KiB to 1 GiB.
    public var chunkByteCount: UInt64 = 5_000_000
    /// A snapshot is taken at the first signature after this many transactions. At least 10.
    public var snapshotInterval: UInt64 = 50_000
    /// How many snapshots are kept; at least 1.
    public var snapshotsKept: Int = 3
    /// Verify the whole directory before serving, not only what came after the newest snapshot.
    public var verifyOnStart: Bool = false
    /// How many writes may wait to be sequenced before new ones are refused.
    public var pendingWriteLimit: Int = 10_000
    /// For how long a repeated request id returns the first result.
    public var idempotencyWindow: Duration = .seconds(600)

    /// The user id that an administrator's certificate stands for. Error: `invalidInput` when the text does not hold
    /// exactly one PEM certificate; the reason says what it holds.
    public static func userID(certificatePEM: String) throws -> String {
        try CertificateMaker.fingerprint(pem: certificatePEM)
    }

    public init(directory: String) { self.directory = directory }
}
