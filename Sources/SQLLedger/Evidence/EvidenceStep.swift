/// One step of verifying a bundle, and how it went.
public struct EvidenceStep: Hashable, Sendable {
    /// The name of a step. The raw value is stable and may be matched by programs.
    ///
    /// Documentation/spec/evidence-bundle.md, "Verification"
    public struct Name: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// From the values to the table root of the transaction.
        public static let rowPath = Name(rawValue: "row-path")
        /// From the transaction to the root of its block.
        public static let transactionPath = Name(rawValue: "transaction-path")
        /// From the block to the block whose digest covers it.
        public static let blockPath = Name(rawValue: "block-path")
        /// The digest is the hash of that block, of this ledger and database.
        public static let digest = Name(rawValue: "digest")
        /// The entry holds the digest, byte for byte.
        public static let entry = Name(rawValue: "entry")
        /// The receipt is about that entry.
        public static let receiptClaims = Name(rawValue: "receipt-claims")
        /// The receipt was signed by the pinned service.
        public static let receiptSignature = Name(rawValue: "receipt-signature")
        /// A digest that the verifier holds is equal.
        public static let trustedDigest = Name(rawValue: "trusted-digest")
    }

    /// How a step went.
    public enum Outcome: Hashable, Sendable {
        /// With what was established, for people.
        case passed(String)
        case failed(String)
        /// Could not be made: something is not in the bundle or was not given.
        case open(String)
    }

    public let name: Name
    public let outcome: Outcome

    init(_ name: Name, _ outcome: Outcome) {
        self.name = name
        self.outcome = outcome
    }

    public var hasPassed: Bool { if case .passed = outcome { true } else { false } }
    public var hasFailed: Bool { if case .failed = outcome { true } else { false } }

    /// One sentence for people.
    public var detail: String {
        switch outcome {
        case .passed(let text), .failed(let text), .open(let text): text
        }
    }
}
