import LedgerProofs

/// A bundle as someone sent it: well-formed, and nothing more.
///
/// Documentation/spec/evidence-bundle.md, "Members"
public struct UnverifiedEvidenceBundle: Hashable, Sendable {
    /// What the bundle says of itself.
    public let claimed: EvidenceBundle

    private static let members: Set<String> = [
        "blocks", "database_name", "digests", "format", "items", "ledger_id", "service_certificate",
        "service_certificate_chain",
    ]

    /// Reads a bundle.
    /// - Throws: `ProofError` whose reason names the rule that is broken.
    public init(json: [UInt8]) throws(ProofError) {
        let object = try StrictObject(json, limits: EvidenceBundle.limits, "the bundle", members: Self.members)
        guard try object.string("format") == EvidenceBundle.format else {
            throw .unsupported("format of the bundle is not \(EvidenceBundle.format)")
        }
        guard object.isNull("ledger_id") == object.isNull("database_name") else {
            throw .invalid("the bundle has ledger_id or database_name, and not both")
        }
        let ledger = object.isNull("ledger_id") ? nil : try object.ledgerID("ledger_id")
        var bundle = EvidenceBundle(database: nil, items: [])
        if let ledger {
            bundle.database = EvidenceBundle.Database(ledger: ledger, name: try object.string("database_name"))
        }
        let items = try object.array("items")
        guard (1...EvidenceBundle.maximumItemCount).contains(items.count) else {
            throw .outOfRange("the bundle has no item, or too many")
        }
        for item in items { bundle.items.append(try EvidenceItem(item, ledger: ledger)) }
        for block in try object.array("blocks") { bundle.blocks.append(try EvidenceBlock(block)) }
        for digest in try object.array("digests") { bundle.digests.append(try EvidenceDigest(digest)) }
        guard Set(bundle.blocks.map(\.block.id)).count == bundle.blocks.count else {
            throw .duplicate("a block occurs twice")
        }
        guard Set(bundle.digests.map(\.digest.block)).count == bundle.digests.count else {
            throw .duplicate("the digest of a block occurs twice")
        }
        let hasRow = bundle.items.contains { if case .row = $0 { true } else { false } }
        guard hasRow || (ledger == nil && bundle.blocks.isEmpty && bundle.digests.isEmpty) else {
            throw .unexpected("a bundle without rows names a database, blocks or digests")
        }
        bundle.serviceCertificate = try object.optionalString("service_certificate")
        for certificate in try object.array("service_certificate_chain") {
            guard let pem = certificate.string else {
                throw .invalid("service_certificate_chain holds something else than text")
            }
            bundle.serviceCertificateChain.append(pem)
        }
        claimed = bundle
    }
}
