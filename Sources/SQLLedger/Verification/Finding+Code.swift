extension Finding {
    /// The vocabulary of verdicts. Codes are never renamed.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        case ok = "OK"
        case physicalOnly = "PHYSICAL_ONLY"
        case rowAltered = "ROW_ALTERED"
        case rowMissing = "ROW_MISSING"
        case rowExtra = "ROW_EXTRA"
        case rowDuplicate = "ROW_DUPLICATE"
        case versionLink = "VERSION_LINK"
        case schemaDrift = "SCHEMA_DRIFT"
        case captureOff = "CAPTURE_OFF"
        case captureChanged = "CAPTURE_CHANGED"
        case viewDrift = "VIEW_DRIFT"
        case policyDrift = "POLICY_DRIFT"
        case txAltered = "TX_ALTERED"
        case txMissing = "TX_MISSING"
        case txExtra = "TX_EXTRA"
        case blockAltered = "BLOCK_ALTERED"
        case chainBroken = "CHAIN_BROKEN"
        case digestMismatch = "DIGEST_MISMATCH"
        case digestGap = "DIGEST_GAP"
        case rollback = "ROLLBACK"
        case fork = "FORK"
        case timeAnomaly = "TIME_ANOMALY"
        case indexDivergence = "INDEX_DIVERGENCE"
        case readUntrusted = "READ_UNTRUSTED"
        case encodingDrift = "ENCODING_DRIFT"
        case coverageGap = "COVERAGE_GAP"
        case tailUnattested = "TAIL_UNATTESTED"
        case verifierBlocked = "VERIFIER_BLOCKED"

        /// What a finding with this code does to the verdict.
        public var consequence: Consequence {
            switch self {
            case .ok, .physicalOnly, .tailUnattested: .none
            case .coverageGap, .verifierBlocked: .unable
            default: .tampered
            }
        }
    }

    /// What a finding does to the verdict.
    public enum Consequence: Sendable, Hashable {
        /// Nothing is wrong.
        case none
        /// Something could not be checked.
        case unable
        /// Something was changed.
        case tampered
    }

    /// How sure a finding is.
    public enum Certainty: String, Sendable, Hashable {
        /// Follows from hashes alone.
        case proven = "PROVEN"
        /// The likeliest explanation.
        case suspect = "SUSPECT"
    }
}
