/// Why a call failed. Equal codes mean the same kind of failure; the reason is for people.
public struct LedgerClientError: Error, Sendable {
    /// Static, stable codes. New ones may be added; switch over them with a default.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        init(_ description: String) { self.description = description }

        /// The endpoint, certificate or key given to the client cannot be used.
        public static let invalidConfiguration = Code("InvalidConfiguration")
        /// An argument breaks a rule; nothing was sent.
        public static let invalidInput = Code("InvalidInput")
        /// No connection, or it broke before the answer.
        public static let unreachable = Code("Unreachable")
        /// The server could not prove that it belongs to the pinned service.
        public static let untrustedServer = Code("UntrustedServer")
        /// The server answered with an error; `status` and `serverCode` say which.
        public static let refused = Code("Refused")
        /// The server says that it does not exist (HTTP 404).
        public static let notFound = Code("NotFound")
        /// The answer does not have the agreed form.
        public static let unexpectedResponse = Code("UnexpectedResponse")
        /// A write was sent and no answer came back, or one that leaves open what becomes of it: it may or may not take
        /// place. Repeating it with the same request id is safe.
        public static let outcomeUnknown = Code("OutcomeUnknown")
        /// A receipt, a transaction id or claims do not prove what the server said.
        public static let proofFailed = Code("ProofFailed")
        /// The transaction was not committed within the time given, or was rolled back.
        public static let notCommitted = Code("NotCommitted")
    }

    public let code: Code
    /// Names the input and the rule. May contain ids and URLs, never entry contents, tokens or keys.
    public let reason: String
    /// The HTTP status, if there was an answer.
    public let status: Int?
    /// `error.code` of the answer, if it had one.
    public let serverCode: String?
    public let cause: (any Error)?

    @inline(never)
    public init(
        _ code: Code, _ reason: String, status: Int? = nil, serverCode: String? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.reason = reason
        self.status = status
        self.serverCode = serverCode
        self.cause = cause
    }
}

extension LedgerClientError: CustomStringConvertible {
    public var description: String { reason }
}
