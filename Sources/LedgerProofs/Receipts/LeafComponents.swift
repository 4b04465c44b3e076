/// The three parts that make the Merkle leaf of a transaction.
///
/// Documentation/spec/merkle-tree.md, "Leaves"
public struct LeafComponents: Hashable, Sendable {
    /// SHA-256 of the serialised ledger entry.
    public var writeSetDigest: Digest32
    /// `ce:view.seqno:` and 64 hexadecimal digits that are unknown until the transaction is committed.
    public var commitEvidence: String
    /// 32 zero bytes when the transaction has no claims.
    public var claimsDigest: Digest32

    public init(writeSetDigest: Digest32, commitEvidence: String, claimsDigest: Digest32) {
        self.writeSetDigest = writeSetDigest
        self.commitEvidence = commitEvidence
        self.claimsDigest = claimsDigest
    }

    /// `H(write set digest ‖ H(commit evidence) ‖ claims digest)`.
    public func leaf() -> Digest32 {
        SHA256Hashing.digest(writeSetDigest, SHA256Hashing.digest(utf8: commitEvidence), claimsDigest)
    }

    /// The transaction that the commit evidence names, or `nil` when the evidence is not exactly
    /// `ce:view.seqno:` and 64 lower-case hexadecimal digits.
    public var transactionID: TransactionID? {
        let parts = commitEvidence.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "ce",
            parts[2].utf8.count == 64, parts[2].utf8.allSatisfy(Hex.isLowerCaseDigit),
            let id = TransactionID(parts[1]), id.description == parts[1]
        else { return nil }
        return id
    }
}
