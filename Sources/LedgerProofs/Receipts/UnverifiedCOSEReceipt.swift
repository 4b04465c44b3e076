/// A COSE receipt that was read but not verified: the root signature and the inclusion proof of one leaf.
///
/// Documentation/spec/receipt-cose.md
public struct UnverifiedCOSEReceipt: Hashable, Sendable {
    public let leaf: LeafComponents
    public let proof: InclusionProof
    /// The signature over the root and the facts in its protected header.
    public let rootSignature: COSERootSignature

    /// Reads a receipt with exactly one inclusion proof and nothing else in the unprotected header.
    /// - Throws: `ProofError` of any decoding code. Nothing is verified here.
    public init(cose: [UInt8], limits: DecodingLimits = DecodingLimits()) throws(ProofError) {
        let unprotected: [CBOR.Pair]
        (rootSignature, unprotected) = try COSERootSignature.reading(cose, limits: limits)
        guard unprotected.count == 1, unprotected[0].key == COSELabel.verifiableDataProofs,
            let proofs = unprotected[0].value.map, proofs.count == 1, proofs[0].key == COSELabel.inclusionProofs,
            let list = proofs[0].value.array, list.count == 1, let proofBytes = list[0].bytes
        else { throw .invalid("the unprotected header is not one inclusion proof") }

        let body = try CBOR(decoding: proofBytes, limits: limits)
        guard body.map?.map(\.key) == [COSELabel.leaf, COSELabel.path],
            let leaf = body[COSELabel.leaf]?.array, leaf.count == 3,
            let writeSetDigest = leaf[0].bytes.flatMap({ Digest32($0) }), let commitEvidence = leaf[1].text,
            let claimsDigest = leaf[2].bytes.flatMap({ Digest32($0) })
        else { throw .invalid("the proof does not start with the three parts of a leaf") }
        guard let path = body[COSELabel.path]?.array, path.count <= InclusionProof.maximumStepCount else {
            throw .invalid("the proof's path is not a list of at most 64 steps")
        }
        var steps: [ProofStep] = []
        steps.reserveCapacity(path.count)
        for step in path {
            guard let parts = step.array, parts.count == 2, case .bool(let isLeft) = parts[0],
                let sibling = parts[1].bytes.flatMap({ Digest32($0) })
            else { throw .invalid("a step of the proof is not a side and a digest") }
            steps.append(isLeft ? .left(sibling) : .right(sibling))
        }
        self.leaf = LeafComponents(
            writeSetDigest: writeSetDigest, commitEvidence: commitEvidence, claimsDigest: claimsDigest)
        self.proof = InclusionProof(steps: steps)
    }
}
