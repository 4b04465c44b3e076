/// What an application says about its own transaction. The digest of the list of claims is part of the leaf.
///
/// Documentation/spec/application-claims.md
public enum ApplicationClaim: Hashable, Sendable {
    /// A disclosed ledger entry. The secret key keeps the digest from revealing contents that can be guessed.
    case ledgerEntry(collectionID: String, contents: String, secretKey: [UInt8])
    /// The digest of a claim whose contents are not disclosed.
    case digest(protocol: String, value: Digest32)

    /// The only protocol of `ledgerEntry` claims.
    public static let ledgerEntryProtocol = "LedgerEntryV1"

    /// The digest of the claim's contents, before the protocol name enters.
    public var value: Digest32 {
        switch self {
        case .ledgerEntry(let collectionID, let contents, let secretKey):
            return secretKey.withUnsafeBytes { key in
                SHA256Hashing.digest(Digest32(hmac: collectionID, key: key), Digest32(hmac: contents, key: key))
            }
        case .digest(_, let value):
            return value
        }
    }

    /// The name of the rule by which `value` was computed.
    public var protocolName: String {
        switch self {
        case .ledgerEntry: Self.ledgerEntryProtocol
        case .digest(let name, _): name
        }
    }

    /// The claims digest of a transaction: `H(u32le(count) ‖ C1 ‖ C2 ‖ …)` with `C = H(protocol ‖ value)`.
    /// An empty list gives 32 zero bytes, the digest of a transaction without claims.
    public static func claimsDigest(_ claims: [ApplicationClaim]) -> Digest32 {
        guard !claims.isEmpty else { return .zero }
        var list = withUnsafeBytes(of: UInt32(claims.count).littleEndian) { Array($0) }
        list.reserveCapacity(4 + 32 * claims.count)
        var one: [UInt8] = []
        for claim in claims {
            one.removeAll(keepingCapacity: true)
            one.append(contentsOf: claim.protocolName.utf8)
            claim.value.withUnsafeBytes { one.append(contentsOf: $0) }
            SHA256Hashing.digest(one).withUnsafeBytes { list.append(contentsOf: $0) }
        }
        return SHA256Hashing.digest(list)
    }
}
