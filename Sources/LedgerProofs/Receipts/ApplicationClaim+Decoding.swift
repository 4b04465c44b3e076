extension ApplicationClaim {
    /// HMAC pads short keys with zeros, so another length would let two documents have one digest.
    static let secretKeyByteCount = 32

    /// Reads one element of `applicationClaims`. Members that are not known are allowed beside `kind`, but not
    /// inside `ledgerEntry` or `digest`.
    /// - Throws: `ProofError`; `.unsupported` for an unknown kind or protocol.
    init(_ value: JSONValue) throws(ProofError) {
        let claim = try JSONMembers(value, "an application claim")
        switch try claim.string("kind") {
        case "LedgerEntry":
            let entry = try JSONMembers(try claim.value("ledgerEntry"), "ledgerEntry")
            try entry.requireOnly(["protocol", "collectionId", "contents", "secretKey"], "ledgerEntry")
            guard try entry.string("protocol") == Self.ledgerEntryProtocol else {
                throw .unsupported("the claim's protocol is unknown")
            }
            guard let secretKey = Base64.decode(try entry.string("secretKey")),
                secretKey.count == Self.secretKeyByteCount
            else { throw .invalid("secretKey is not base64 of 32 bytes") }
            self = .ledgerEntry(
                collectionID: try entry.string("collectionId"), contents: try entry.string("contents"),
                secretKey: secretKey)
        case "ClaimDigest":
            let digest = try JSONMembers(try claim.value("digest"), "digest")
            try digest.requireOnly(["protocol", "value"], "digest")
            self = .digest(protocol: try digest.string("protocol"), value: try digest.digest("value"))
        default:
            throw .unsupported("the claim's kind is unknown")
        }
    }
}
