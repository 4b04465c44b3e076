/// One thing a verifier found: a stable code and a sentence for people.
public struct VerificationFinding: Hashable, Sendable, CustomStringConvertible {
    /// One kind of finding. The raw value is stable and may be matched by programs.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The digest of the given claims is not the one in the receipt.
        public static let claimsMismatch = Code(rawValue: "claims-mismatch")
        /// The receipt is not for the expected transaction.
        public static let transactionMismatch = Code(rawValue: "transaction-mismatch")
        /// The commit evidence is not `ce:view.seqno:` and 64 hexadecimal digits.
        public static let commitEvidenceMalformed = Code(rawValue: "commit-evidence-malformed")
        /// The sides of the proof's steps do not fit the position of the transaction.
        public static let proofShape = Code(rawValue: "proof-shape")
        /// A certificate or key cannot be read, or is of a kind that is not used.
        public static let certificateInvalid = Code(rawValue: "certificate-invalid")
        /// The node id is not the digest of the node certificate's key.
        public static let nodeIDMismatch = Code(rawValue: "node-id-mismatch")
        /// A certificate is not signed by the next one, or the last one not by the pinned service.
        public static let endorsementInvalid = Code(rawValue: "endorsement-invalid")
        /// The signature does not belong to this root and key.
        public static let signatureInvalid = Code(rawValue: "signature-invalid")
        /// The receipt names another service key than the pinned one.
        public static let serviceKeyMismatch = Code(rawValue: "service-key-mismatch")
        /// A certificate of the chain is outside its validity dates at the given time. A note, not a failure.
        public static let certificateDates = Code(rawValue: "certificate-dates")
    }

    public let code: Code
    public let reason: String

    public init(code: Code, reason: String) {
        self.code = code
        self.reason = reason
    }

    public var description: String { "\(code.rawValue): \(reason)" }
}
