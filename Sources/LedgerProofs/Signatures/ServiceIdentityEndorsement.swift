/// A recovered service's statement about the service before it: a tagged COSE_Sign1 whose payload is the former key.
///
/// Documentation/spec/signatures.md, "Endorsement of the former identity"
public struct ServiceIdentityEndorsement: Hashable, Sendable {
    public let endorsedKey: SigningPublicKey
    /// The last transaction of the former service; `nil` when a new service endorses itself.
    public let epochEnd: TransactionID?
    /// The root that the former service signed last.
    public let epochEndRoot: Digest32?

    private static let epochEndLabel = CBOR.text("epoch.end.txid")
    private static let epochEndRootLabel = CBOR.text("epoch.end.merkle.root")

    private let algorithm: Int64
    private let protectedBytes: [UInt8]
    private let payload: [UInt8]
    private let signature: [UInt8]

    /// - Throws: `ProofError` of any decoding code. No signature is checked here.
    public init(cose: [UInt8]) throws(ProofError) {
        guard case .tagged(COSELabel.sign1Tag, .array(let parts)) = try CBOR(decoding: cose), parts.count == 4,
            let protected = parts[0].bytes, let payload = parts[2].bytes, let signature = parts[3].bytes
        else { throw .malformed("the bytes are not a tagged COSE_Sign1 with a payload") }
        let header = try CBOR(decoding: protected)
        guard let algorithm = header[COSELabel.algorithm]?.integer, let ledger = header[COSELabel.ledger] else {
            throw .invalid("the protected header has no algorithm or no claim of the ledger")
        }
        epochEnd = ledger[Self.epochEndLabel]?.text.flatMap { TransactionID($0) }
        epochEndRoot = ledger[Self.epochEndRootLabel]?.bytes.flatMap { Digest32($0) }
        guard (ledger[Self.epochEndLabel] == nil) == (epochEnd == nil),
            (ledger[Self.epochEndRootLabel] == nil) == (epochEndRoot == nil)
        else { throw .invalid("the end of the epoch is not a transaction and a root") }
        endorsedKey = try SigningPublicKey(der: payload)
        self.algorithm = algorithm
        self.protectedBytes = protected
        self.payload = payload
        self.signature = signature
    }

    /// Whether `key` made the endorsement.
    public func isSigned(by key: SigningPublicKey) -> Bool {
        let bytes = COSERootSignature.toBeSigned(protected: protectedBytes, payload: payload)
        let isValid = try? key.isValid(cose: signature, algorithm: algorithm, signed: bytes)
        return isValid == true
    }
}
