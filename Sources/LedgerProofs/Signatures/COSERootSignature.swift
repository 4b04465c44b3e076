import Crypto

/// The service's signature over a Merkle root: a tagged COSE_Sign1 with the root as detached payload.
///
/// Documentation/spec/receipt-cose.md
public struct COSERootSignature: Hashable, Sendable {
    /// The transaction that holds the signature. The root covers the leaves before it.
    public let txid: TransactionID
    /// 64 lower-case digits: SHA-256 of the service key's DER SubjectPublicKeyInfo.
    public let keyID: String
    /// Seconds since 1970.
    public let issuedAt: Int64
    public let issuer: String
    public let subject: String
    /// The COSE algorithm number: -7, -35 or -36.
    public let algorithm: Int64

    let protectedBytes: [UInt8]
    /// Raw `r ‖ s`.
    let signature: [UInt8]

    /// Signs `root`. `txid` is the transaction that will hold the signature, `issuedAt` is in seconds since
    /// 1970, `keyID` is the service key's `SigningPublicKey.nodeID`. Different bytes at every call.
    /// - Throws: `ProofError.signingFailed`.
    public static func sign(
        root: Digest32, txid: TransactionID, issuedAt: Int64, issuer: String, subject: String,
        key: P384.Signing.PrivateKey, keyID: String
    ) throws(ProofError) -> [UInt8] {
        let header = protectedHeader(
            algorithm: COSELabel.es384, txid: txid, issuedAt: issuedAt, issuer: issuer, subject: subject, keyID: keyID)
        let signature: [UInt8]
        do {
            signature = Array(
                try key.signature(for: toBeSigned(protected: header, payload: root.bytes)).rawRepresentation)
        } catch {
            throw ProofError(code: .signingFailed, reason: "the service key could not sign the root")
        }
        return envelope(protected: header, unprotected: [], signature: signature)
    }

    /// The protected header in the order that every ledger uses.
    static func protectedHeader(
        algorithm: Int64, txid: TransactionID, issuedAt: Int64, issuer: String, subject: String, keyID: String
    ) -> [UInt8] {
        CBOR.map([
            .init(COSELabel.algorithm, .integer(algorithm)),
            .init(COSELabel.keyID, .bytes(Array(keyID.utf8))),
            .init(COSELabel.verifiableDataStructure, COSELabel.ledgerTree),
            .init(
                COSELabel.claims,
                .map([
                    .init(COSELabel.issuedAt, .integer(issuedAt)),
                    .init(COSELabel.issuer, .text(issuer)),
                    .init(COSELabel.subject, .text(subject)),
                ])),
            .init(COSELabel.ledger, .map([.init(COSELabel.txid, .text(txid.description))])),
        ]).encoded()
    }

    /// The bytes that are signed: `["Signature1", protected, h'', payload]`.
    static func toBeSigned(protected: [UInt8], payload: [UInt8]) -> [UInt8] {
        CBOR.array([.text("Signature1"), .bytes(protected), .bytes([]), .bytes(payload)]).encoded()
    }

    static func envelope(protected: [UInt8], unprotected: [CBOR.Pair], signature: [UInt8]) -> [UInt8] {
        CBOR.tagged(
            COSELabel.sign1Tag,
            .array([.bytes(protected), .map(unprotected), .null, .bytes(signature)])
        ).encoded()
    }

    /// Reads a signature as it stands in the ledger: tagged, detached payload, empty unprotected header.
    /// - Throws: `ProofError` of any decoding code. No signature is checked here.
    public init(cose: [UInt8]) throws(ProofError) {
        let (signature, unprotected) = try Self.reading(cose, limits: DecodingLimits())
        guard unprotected.isEmpty else { throw .unexpected("the unprotected header is not empty") }
        self = signature
    }

    /// Reads the envelope and the protected header; the unprotected header is the caller's to judge.
    static func reading(
        _ cose: [UInt8], limits: DecodingLimits
    ) throws(ProofError) -> (COSERootSignature, unprotected: [CBOR.Pair]) {
        guard case .tagged(COSELabel.sign1Tag, .array(let parts)) = try CBOR(decoding: cose, limits: limits),
            parts.count == 4, let protected = parts[0].bytes, let unprotected = parts[1].map,
            let signature = parts[3].bytes
        else { throw .malformed("the bytes are not a tagged COSE_Sign1") }
        guard parts[2] == .null else { throw .invalid("the payload is not detached") }
        return (try COSERootSignature(protected: protected, signature: signature), unprotected)
    }

    private init(protected: [UInt8], signature: [UInt8]) throws(ProofError) {
        let header = try CBOR(decoding: protected)
        guard let pairs = header.map else { throw .malformed("the protected header is not a map") }
        let labels = [
            COSELabel.algorithm, COSELabel.keyID, COSELabel.verifiableDataStructure, COSELabel.claims, COSELabel.ledger,
        ]
        guard pairs.map(\.key) == labels else {
            throw .invalid("the protected header has other labels or another order")
        }

        guard let algorithm = header[COSELabel.algorithm]?.integer,
            [COSELabel.es256, COSELabel.es384, COSELabel.es512].contains(algorithm)
        else { throw .unsupported("the COSE algorithm is not used for root signatures") }
        guard let keyIDBytes = header[COSELabel.keyID]?.bytes,
            keyIDBytes.count == 64, keyIDBytes.allSatisfy(Hex.isLowerCaseDigit)
        else { throw .invalid("the key id is not 64 lower-case hexadecimal digits") }
        guard header[COSELabel.verifiableDataStructure] == COSELabel.ledgerTree else {
            throw .invalid("the verifiable data structure is not the ledger's tree")
        }
        guard let claims = header[COSELabel.claims], let claimPairs = claims.map,
            claimPairs.map(\.key) == [COSELabel.issuedAt, COSELabel.issuer, COSELabel.subject],
            let issuedAt = claims[COSELabel.issuedAt]?.integer, let issuer = claims[COSELabel.issuer]?.text,
            let subject = claims[COSELabel.subject]?.text
        else { throw .invalid("the CWT claims are not issued-at, issuer and subject") }
        guard let ledger = header[COSELabel.ledger], ledger.map?.count == 1,
            let txidText = ledger[COSELabel.txid]?.text, let txid = TransactionID(txidText),
            txid.description == txidText
        else { throw .invalid("the ledger's claim is not one transaction id") }

        self.txid = txid
        self.keyID = String(decoding: keyIDBytes, as: UTF8.self)
        self.issuedAt = issuedAt
        self.issuer = issuer
        self.subject = subject
        self.algorithm = algorithm
        self.protectedBytes = protected
        self.signature = signature
    }

    /// Checks the signature over `root`. The verified value is the root. The key must be the one that the
    /// header names, of the algorithm's curve.
    public func verify(root: Digest32, key: SigningPublicKey) -> Verdict<Digest32> {
        guard key.nodeID == keyID else {
            return .failed(.serviceKeyMismatch, "the signature names another service key")
        }
        let bytes = Self.toBeSigned(protected: protectedBytes, payload: root.bytes)
        let isValid: Bool?
        do {
            isValid = try key.isValid(cose: signature, algorithm: algorithm, signed: bytes)
        } catch {
            return .failed(.signatureInvalid, "the signature is not r ‖ s of the key's curve")
        }
        guard let isValid else {
            return .failed(.signatureInvalid, "the algorithm does not belong to the key's curve")
        }
        return isValid
            ? .verified(root)
            : .failed(.signatureInvalid, "the signature does not belong to this root and key")
    }

    /// What `verify` checks, for a key that has many signatures to check. `nil` when the signature names another key or
    /// is of another algorithm.
    package func claim(root: Digest32, key: RecurringKey) -> SignatureClaim? {
        guard key.nodeID == keyID else { return nil }
        let bytes = Self.toBeSigned(protected: protectedBytes, payload: root.bytes)
        switch (key.key, algorithm) {
        case (.p256, COSELabel.es256): return SignatureClaim(raw: signature, digest: Array(SHA256.hash(data: bytes)))
        case (.p384, COSELabel.es384): return SignatureClaim(raw: signature, digest: Array(SHA384.hash(data: bytes)))
        default: return nil
        }
    }

    /// Makes a receipt: the root signature with the inclusion proof of one leaf in its unprotected header.
    /// The proof must lead to the signed root; this is not checked here.
    /// - Throws: `ProofError` when `rootSignature` is not a root signature.
    public static func receipt(
        rootSignature: [UInt8], leaf: LeafComponents, proof: InclusionProof
    ) throws(ProofError) -> [UInt8] {
        let parsed = try COSERootSignature(cose: rootSignature)
        let proofBytes = CBOR.map([
            .init(
                COSELabel.leaf,
                .array([
                    .bytes(leaf.writeSetDigest.bytes), .text(leaf.commitEvidence), .bytes(leaf.claimsDigest.bytes),
                ])),
            .init(COSELabel.path, .array(proof.steps.map { .array([.bool($0.isLeft), .bytes($0.sibling.bytes)]) })),
        ]).encoded()
        return envelope(
            protected: parsed.protectedBytes,
            unprotected: [
                .init(
                    COSELabel.verifiableDataProofs,
                    .map([.init(COSELabel.inclusionProofs, .array([.bytes(proofBytes)]))]))
            ],
            signature: parsed.signature)
    }
}
