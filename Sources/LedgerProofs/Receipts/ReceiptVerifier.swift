import X509

/// Verifies receipts against one pinned service certificate. Holds no clock, file or network.
///
/// Documentation/spec/receipt-json.md and receipt-cose.md
public struct ReceiptVerifier: Sendable {
    private let service: Certificate

    /// The pinned service's key. Its `nodeID` is the key id in COSE signatures.
    public let serviceKey: SigningPublicKey

    /// Pins the service.
    /// - Throws: `ProofError.malformed` for unreadable text, `.unsupported` for a key that is not ECDSA.
    public init(serviceCertificatePEM: String) throws(ProofError) {
        service = try Certificate.reading(pem: serviceCertificatePEM)
        serviceKey = try SigningPublicKey(service.publicKey)
    }

    /// Verifies a JSON receipt: claims, leaf, proof, node id, signature and certificate chain.
    ///
    /// - Parameters:
    ///   - claims: What the transaction claims. `nil`: not checked. An empty list means that the transaction has
    ///     no claims, which is checked too.
    ///   - transactionID: The transaction that was asked for. Without it, compare the result's `transactionID`
    ///     yourself: a genuine receipt of another transaction is genuine.
    ///   - time: Seconds since 1970, for notes about certificate dates. Dates never make a receipt fail.
    public func verify(
        _ receipt: UnverifiedReceipt, claims: [ApplicationClaim]? = nil, expecting transactionID: TransactionID? = nil,
        at time: Int64? = nil
    ) -> Verdict<VerifiedReceipt> {
        var findings: [VerificationFinding] = []
        let components: LeafComponents?
        switch receipt.leaf {
        case .components(let value):
            components = value
        case .signedRoot:
            components = nil
            if !receipt.proof.steps.isEmpty {
                findings.append(.init(code: .proofShape, reason: "a signed root has a proof"))
            }
        }
        findings += Self.leafFindings(components, claims: claims, expecting: transactionID)

        let root = receipt.root()
        var notes: [VerificationFinding] = []
        var nodeID = ""
        do {
            let node = try Certificate.reading(pem: receipt.certificatePEM)
            let nodeKey = try SigningPublicKey(node.publicKey)
            nodeID = nodeKey.nodeID
            if let stated = receipt.nodeID, stated.lowercased() != nodeID {
                findings.append(
                    .init(code: .nodeIDMismatch, reason: "the node id is not the digest of the certificate's key"))
            }
            findings += RootSignature.verify(der: receipt.signature, root: root, publicKey: nodeKey).findings

            var chain = [node]
            for endorsement in receipt.serviceEndorsements {
                chain.append(try Certificate.reading(pem: endorsement))
            }
            let endorsements = EndorsementChain(certificates: chain + [service])
            findings += endorsements.findings()
            if let time { notes = endorsements.dateNotes(at: time) }
        } catch {
            findings.append(.init(code: .certificateInvalid, reason: error.reason))
        }
        guard findings.isEmpty else { return .failed(findings) }
        return .verified(
            VerifiedReceipt(
                transactionID: components?.transactionID, leaf: receipt.leaf.digest, root: root,
                signer: .node(nodeID), claimsDigest: components?.claimsDigest, claimsChecked: claims != nil,
                notes: notes))
    }

    /// Verifies a whole response: its receipt, its claims if it has any, and that the receipt is for the
    /// transaction that the response names. The receipt of a signature transaction proves a root and no id, so it
    /// fails in a response that names its transaction; verify `document.receipt` for its root.
    /// Parameters as for a receipt.
    public func verify(
        _ document: UnverifiedReceiptDocument, expecting transactionID: TransactionID? = nil, at time: Int64? = nil
    ) -> Verdict<VerifiedReceipt> {
        if let transactionID, let stated = document.transactionID, stated != transactionID {
            return .failed(.transactionMismatch, "the response is not for the expected transaction")
        }
        return verify(
            document.receipt, claims: document.applicationClaims.isEmpty ? nil : document.applicationClaims,
            expecting: transactionID ?? document.transactionID, at: time)
    }

    /// Verifies a COSE receipt: claims, leaf, shape of the proof, and the pinned service's signature.
    /// Parameters as for a JSON receipt.
    public func verify(
        _ receipt: UnverifiedCOSEReceipt, claims: [ApplicationClaim]? = nil,
        expecting transactionID: TransactionID? = nil, at time: Int64? = nil
    ) -> Verdict<VerifiedReceipt> {
        var findings = Self.leafFindings(receipt.leaf, claims: claims, expecting: transactionID)
        if let id = receipt.leaf.transactionID {
            // The root covers the leaves before the signature transaction, so the tree's size is known.
            let size = TreeSize(receipt.rootSignature.txid.seqno.rawValue)
            let sides = InclusionProof.sides(leaf: LeafIndex(id.seqno), in: size)
            if sides != receipt.proof.steps.map(\.isLeft) || id.view > receipt.rootSignature.txid.view {
                findings.append(
                    .init(code: .proofShape, reason: "the proof does not fit the positions of leaf and signature"))
            }
        }
        let leaf = receipt.leaf.leaf()
        let root = receipt.proof.root(of: leaf)
        findings += receipt.rootSignature.verify(root: root, key: serviceKey).findings
        guard findings.isEmpty else { return .failed(findings) }
        return .verified(
            VerifiedReceipt(
                transactionID: receipt.leaf.transactionID, leaf: leaf, root: root,
                signer: .service(receipt.rootSignature.keyID), claimsDigest: receipt.leaf.claimsDigest,
                claimsChecked: claims != nil,
                notes: time.map(EndorsementChain(certificates: [service]).dateNotes(at:)) ?? []))
    }

    private static func leafFindings(
        _ components: LeafComponents?, claims: [ApplicationClaim]?, expecting transactionID: TransactionID?
    ) -> [VerificationFinding] {
        var findings: [VerificationFinding] = []
        if let components, components.transactionID == nil {
            findings.append(
                .init(code: .commitEvidenceMalformed, reason: "the commit evidence does not name a transaction"))
        }
        if let claims, components?.claimsDigest != ApplicationClaim.claimsDigest(claims) {
            findings.append(.init(code: .claimsMismatch, reason: "the claims are not those of the receipt"))
        }
        if let transactionID, components?.transactionID != transactionID {
            findings.append(
                .init(code: .transactionMismatch, reason: "the receipt is not for the expected transaction"))
        }
        return findings
    }
}
