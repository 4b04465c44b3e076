/// The answer of a verification: the verified value, or every reason why there is none.
public enum Verdict<Value> {
    case verified(Value)
    /// At least one finding.
    case failed([VerificationFinding])

    public var isVerified: Bool {
        switch self {
        case .verified: true
        case .failed: false
        }
    }

    /// The verified value, or `nil`.
    public var value: Value? {
        switch self {
        case .verified(let value): value
        case .failed: nil
        }
    }

    /// The reasons of a failure; empty when verified.
    public var findings: [VerificationFinding] {
        switch self {
        case .verified: []
        case .failed(let findings): findings
        }
    }

    static func failed(_ code: VerificationFinding.Code, _ reason: String) -> Verdict {
        .failed([VerificationFinding(code: code, reason: reason)])
    }
}

extension Verdict: Sendable where Value: Sendable {}
extension Verdict: Equatable where Value: Equatable {}
