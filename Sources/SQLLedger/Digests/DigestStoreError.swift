/// A digest store that did not do what it was asked. Two errors are equal when their codes are equal.
public struct DigestStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One kind of fault. The raw value is stable and may be matched by programs.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Another digest of the same ledger and block is stored.
        public static let conflict = Code(rawValue: "conflict")
        /// The store cannot be reached or did not answer; whether anything was stored is unknown.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The store refused: wrong credentials, no permission, no such place.
        public static let refused = Code(rawValue: "refused")
        /// What is stored is not a digest, or not as it was written.
        public static let damaged = Code(rawValue: "damaged")
    }

    public let code: Code
    /// One sentence for people.
    public let reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public var description: String { "\(code.rawValue): \(reason)" }

    public static func == (a: DigestStoreError, b: DigestStoreError) -> Bool { a.code == b.code }
}
