import LedgerProofs

/// The answer of `EvidenceVerifier`: every step of every part of a bundle, the verdict, and what is not proven.
public struct EvidenceReport: Sendable {
    /// The raw value is stable and may be matched by programs.
    public enum Verdict: String, Sendable {
        /// Every step passed and every digest is anchored: valid, not proven current.
        case verified
        /// At least one step failed.
        case failed
        /// Everything fits together, but nothing that the verifier trusts vouches for it.
        case unanchored
    }

    /// One part of the bundle.
    public struct Subject: Hashable, Sendable {
        /// The kind of part.
        public enum Kind: String, Sendable {
            case row, entry, block, digest
        }

        public let kind: Kind
        /// The position among the items, blocks or digests of the bundle.
        public let index: Int
        /// What it is, for people; holds no values of rows.
        public let title: String
        public let steps: [EvidenceStep]
    }

    public let verdict: Verdict
    /// The items first, then the digests, then blocks that no item uses.
    public let subjects: [Subject]
    /// Sentences that belong beside every verdict.
    public let notProven: [String]
    /// Sentences about digests that the verifier holds and that nothing in the bundle could be compared with. They change
    /// no verdict.
    public let notCompared: [String]
    /// The SHA-256 fingerprint of the pinned service certificate, for whoever shows the report; the verifier leaves it out.
    public var serviceFingerprint: String?
    /// What is proven; present exactly when verified.
    public let evidence: VerifiedEvidence?

    /// The names of the steps that failed.
    public var failedSteps: Set<EvidenceStep.Name> {
        Set(subjects.flatMap(\.steps).filter(\.hasFailed).map(\.name))
    }

    /// One sentence for people.
    public var summary: String {
        let steps = subjects.flatMap(\.steps)
        switch verdict {
        case .verified:
            let count = subjects.count { $0.kind == .row || $0.kind == .entry }
            let open = steps.count { !$0.hasPassed }
            return "\(count) \(count == 1 ? "item" : "items"): valid, not proven current; "
                + (open == 0
                    ? "all \(steps.count) steps passed"
                    : "\(steps.count - open) of \(steps.count) steps passed, \(open) not needed and open")
        case .failed:
            return "\(steps.count(where: \.hasFailed)) of \(steps.count) steps failed: this evidence proves nothing"
        case .unanchored:
            return "everything in the bundle fits together, but nothing that you trust vouches for it"
        }
    }

    /// The report for programs: `verdict`, `summary`, `subjects` with their steps, `not_proven`, `not_compared`, `evidence`,
    /// which is null unless verified, and `service_fingerprint`, which is null when none is set.
    public var json: String {
        let subjects = subjects.map { subject in
            JSONValue.object([
                "index": .integer(UInt64(subject.index)), "kind": .string(subject.kind.rawValue),
                "steps": .array(subject.steps.map(Self.json)), "title": .string(subject.title),
            ])
        }
        let value = JSONValue.object([
            "evidence": evidence?.jsonValue ?? .null,
            "not_compared": .array(notCompared.map { .string($0) }),
            "not_proven": .array(notProven.map { .string($0) }),
            "service_fingerprint": serviceFingerprint.map { .string($0) } ?? .null, "subjects": .array(subjects),
            "summary": .string(summary), "verdict": .string(verdict.rawValue),
        ])
        return String(decoding: value.canonicalBytes(), as: UTF8.self)
    }

    private static func json(_ step: EvidenceStep) -> JSONValue {
        let outcome =
            switch step.outcome {
            case .passed: "passed"
            case .failed: "failed"
            case .open: "open"
            }
        return .object([
            "detail": .string(step.detail), "name": .string(step.name.rawValue), "outcome": .string(outcome),
        ])
    }
}
