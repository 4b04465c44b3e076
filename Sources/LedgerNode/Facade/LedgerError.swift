/// Why the node refused or could not do something. Equal when the codes are equal.
public struct LedgerError: Error, Sendable {
    /// Static, stable codes. New ones may be added; switch over them with a default.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        init(_ description: String) { self.description = description }

        /// The input breaks a rule; nothing was changed.
        public static let invalidInput = Code("InvalidInput")
        public static let roleNotFound = Code("RoleNotFound")
        public static let roleExists = Code("RoleAlreadyExists")
        /// The role is built in, or a user holds it.
        public static let roleInUse = Code("RoleInUse")
        public static let lastAdministrator = Code("LastAdministrator")
        /// The caller's rights do not allow it; nothing was changed.
        public static let notAllowed = Code("NotAllowed")
        public static let transactionNotFound = Code("TransactionNotFound")
        public static let transactionPending = Code("TransactionPendingOrUnknown")
        public static let transactionInvalid = Code("TransactionInvalid")
        /// The node takes no writes any more (a disk error, or it is shutting down); the reason says why.
        public static let notWritable = Code("NotWritable")
        /// The write may or may not become durable: its disk failed (ask for its status after the restart), or the wait
        /// for a change ended first (ask later).
        public static let outcomeUnknown = Code("OutcomeUnknown")
        /// Too many writes wait already; try again.
        public static let overloaded = Code("TooManyPendingTransactions")
        /// The index cannot be written, so what was appended since cannot be listed or proved yet; try again.
        public static let indexUnavailable = Code("IndexUnavailable")
        /// The directory belongs to another running process.
        public static let directoryInUse = Code("DirectoryInUse")
        /// The stored ledger contradicts itself, its signatures or its keys.
        public static let corrupt = Code("CorruptLedger")
        /// Files that belong together are not all there, or others are among them. Nothing was changed, and nothing is
        /// said about what is there.
        public static let incompleteDirectory = Code("IncompleteDirectory")
        /// A configuration value contradicts what the directory was created with.
        public static let configurationMismatch = Code("ConfigurationMismatch")
        /// The sealed keys could not be opened with the key or passphrase given.
        public static let wrongSealingKey = Code("WrongSealingKey")
        public static let inputOutput = Code("InputOutputError")
    }

    public let code: Code
    /// For people: names the input and the rule. May contain ids and paths, never entry contents or secrets.
    public let reason: String
    public let cause: (any Error)?
    /// For whoever called: the transaction and the ledger file that are concerned, when that is known.
    public var place: String?

    @inline(never)
    public init(_ code: Code, _ reason: String, cause: (any Error)? = nil) {
        self.code = code
        self.reason = reason
        self.cause = cause
    }
}

extension LedgerError: Equatable {
    /// Only the code is compared.
    public static func == (a: LedgerError, b: LedgerError) -> Bool { a.code == b.code }
}

extension LedgerError: CustomStringConvertible {
    public var description: String { "\(code): \(reason)" }
}
