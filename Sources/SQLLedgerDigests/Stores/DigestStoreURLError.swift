/// Why text is not the URL of a digest store. Two errors are equal when their codes are equal.
public struct DigestStoreURLError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One kind of fault. The raw value is stable and may be matched by programs.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The text breaks a rule of its scheme, or has none.
        public static let malformed = Code(rawValue: "malformed")
        /// No store is known for the scheme.
        public static let unsupportedScheme = Code(rawValue: "unsupported-scheme")
    }

    public let code: Code
    /// Names the input and the rule.
    public let reason: String

    init(_ code: Code, _ text: String, _ rule: String) {
        self.code = code
        self.reason = "digest store '\(text)': \(rule)"
    }

    public var description: String { reason }

    public static func == (a: DigestStoreURLError, b: DigestStoreURLError) -> Bool { a.code == b.code }
}
