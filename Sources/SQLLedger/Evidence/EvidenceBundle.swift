import LedgerProofs

/// Values and paths from rows to receipts, to be written into one file. Building one proves nothing; reading one gives an
/// `UnverifiedEvidenceBundle`, and `EvidenceVerifier` alone says what it proves.
///
/// Documentation/spec/evidence-bundle.md
public struct EvidenceBundle: Hashable, Sendable {
    /// The ledger and the name of the database; `nil` exactly when no item is a row.
    public var database: Database?
    /// At least one.
    public var items: [EvidenceItem]
    /// Each block once: those of the rows, and those whose digests cover them.
    public var blocks: [EvidenceBlock]
    /// At most one of each block.
    public var digests: [EvidenceDigest]
    /// What the exporter trusted, PEM. For people to compare.
    public var serviceCertificate: String?
    /// Earlier certificates of the service, PEM. For people.
    public var serviceCertificateChain: [String]

    /// Which database the rows are from.
    public struct Database: Hashable, Sendable {
        public var ledger: LedgerID
        public var name: String

        public init(ledger: LedgerID, name: String) {
            self.ledger = ledger
            self.name = name
        }
    }

    /// The value of the member `format`.
    public static let format = "indelible/evidence/1"

    /// No bundle has more items.
    public static let maximumItemCount = 10_000

    /// A bundle that is larger is not read: 64 MiB, depth 16, 1,000,000 values.
    public static let limits = DecodingLimits(
        maximumByteCount: 64 << 20, maximumDepth: 16, maximumItemCount: 1_000_000)

    public init(
        database: Database?, items: [EvidenceItem], blocks: [EvidenceBlock] = [], digests: [EvidenceDigest] = [],
        serviceCertificate: String? = nil, serviceCertificateChain: [String] = []
    ) {
        self.database = database
        self.items = items
        self.blocks = blocks
        self.digests = digests
        self.serviceCertificate = serviceCertificate
        self.serviceCertificateChain = serviceCertificateChain
    }

    /// The file.
    /// - Throws: `ProofError` when a receipt is not one, or the bundle is one that no reader takes.
    public func encoded() throws(ProofError) -> [UInt8] {
        var items: [JSONValue] = []
        for item in self.items { items.append(try item.jsonValue()) }
        var digests: [JSONValue] = []
        for digest in self.digests { digests.append(try digest.jsonValue()) }
        let value = JSONValue.object([
            "blocks": .array(blocks.map(\.jsonValue)), "database_name": .optional(database?.name),
            "digests": .array(digests), "format": .string(Self.format), "items": .array(items),
            "ledger_id": .optional(database?.ledger.hex), "service_certificate": .optional(serviceCertificate),
            "service_certificate_chain": .array(serviceCertificateChain.map { .string($0) }),
        ])
        let bytes = value.canonicalBytes()
        _ = try UnverifiedEvidenceBundle(json: bytes)
        return bytes
    }
}
