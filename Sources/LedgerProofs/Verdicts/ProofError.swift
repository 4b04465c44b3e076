/// Input that is not what it claims to be. Thrown by decoders; verification answers with a `Verdict` instead.
///
/// Two errors are equal when their codes are equal. The reason never contains input.
public struct ProofError: Error, Sendable, CustomStringConvertible {
    /// One kind of fault. The raw value is stable and may be matched by programs.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The bytes end too early.
        public static let truncated = Code(rawValue: "truncated")
        /// There are bytes after the end of the value.
        public static let trailingBytes = Code(rawValue: "trailing-bytes")
        /// A count, length or number is outside its range, or the input is larger than allowed.
        public static let outOfRange = Code(rawValue: "out-of-range")
        /// The bytes break the rules of JSON, CBOR, base64, PEM or DER.
        public static let malformed = Code(rawValue: "malformed")
        /// A member occurs twice.
        public static let duplicateMember = Code(rawValue: "duplicate-member")
        /// A required member is absent or null.
        public static let missingMember = Code(rawValue: "missing-member")
        /// A member that is not allowed at this place.
        public static let unexpectedMember = Code(rawValue: "unexpected-member")
        /// A member has the wrong type or an impossible value.
        public static let invalidMember = Code(rawValue: "invalid-member")
        /// A key or algorithm that is not used by these ledgers, such as RSA.
        public static let unsupported = Code(rawValue: "unsupported")
        /// The signing key refused to sign.
        public static let signingFailed = Code(rawValue: "signing-failed")
    }

    public let code: Code
    /// One sentence for people.
    public let reason: String

    public init(code: Code, reason: String) {
        self.code = code
        self.reason = reason
    }

    public var description: String { "\(code.rawValue): \(reason)" }
}

extension ProofError: Equatable {
    public static func == (a: ProofError, b: ProofError) -> Bool { a.code == b.code }
}

extension ProofError {
    @inline(never) package static func truncated(_ reason: String) -> ProofError {
        .init(code: .truncated, reason: reason)
    }
    @inline(never) package static func trailingBytes(_ reason: String) -> ProofError {
        .init(code: .trailingBytes, reason: reason)
    }
    @inline(never) package static func outOfRange(_ reason: String) -> ProofError {
        .init(code: .outOfRange, reason: reason)
    }
    @inline(never) package static func malformed(_ reason: String) -> ProofError {
        .init(code: .malformed, reason: reason)
    }
    @inline(never) package static func duplicate(_ reason: String) -> ProofError {
        .init(code: .duplicateMember, reason: reason)
    }
    @inline(never) package static func missing(_ reason: String) -> ProofError {
        .init(code: .missingMember, reason: reason)
    }
    @inline(never) package static func unexpected(_ reason: String) -> ProofError {
        .init(code: .unexpectedMember, reason: reason)
    }
    @inline(never) package static func invalid(_ reason: String) -> ProofError {
        .init(code: .invalidMember, reason: reason)
    }
    @inline(never) package static func unsupported(_ reason: String) -> ProofError {
        .init(code: .unsupported, reason: reason)
    }
}

extension ProofError {
    init(_ error: JSONTextError) {
        let code: Code =
            switch error.rule {
            case .syntax: .malformed
            case .duplicate: .duplicateMember
            case .trailing: .trailingBytes
            case .limit: .outOfRange
            }
        self.init(code: code, reason: "\(error.reason) (at byte \(error.offset))")
    }
}
