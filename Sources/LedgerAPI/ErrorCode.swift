/// Every error code that the REST interface sends, with its HTTP status. The names come from API spec A.0 and
/// ccf-formats 6.2; a code belongs to exactly one status unless a maker below says otherwise.
public struct ErrorCode: Hashable, Sendable {
    /// What stands in `error.code`.
    public let name: String
    /// The HTTP status it is sent with.
    public let status: Int

    public init(name: String, status: Int) {
        self.name = name
        self.status = status
    }

    // 400
    public static let invalidInput = ErrorCode(name: "InvalidInput", status: 400)
    public static let invalidQueryParameterValue = ErrorCode(name: "InvalidQueryParameterValue", status: 400)
    public static let invalidHeaderValue = ErrorCode(name: "InvalidHeaderValue", status: 400)
    public static let invalidResourceName = ErrorCode(name: "InvalidResourceName", status: 400)
    public static let unsupportedAPIVersion = ErrorCode(name: "UnsupportedApiVersion", status: 400)
    // 401, 403
    public static let invalidAuthenticationInfo = ErrorCode(name: "InvalidAuthenticationInfo", status: 401)
    public static let notAllowed = ErrorCode(name: "NotAllowed", status: 403)
    // 404
    public static let resourceNotFound = ErrorCode(name: "ResourceNotFound", status: 404)
    /// The id is malformed or can never become valid. Pollers stop at once (API spec K.10).
    public static let invalidTransactionID = ErrorCode(name: "InvalidTransactionId", status: 404)
    public static let transactionPendingOrUnknown = ErrorCode(name: "TransactionPendingOrUnknown", status: 404)
    public static let transactionInvalid = ErrorCode(name: "TransactionInvalid", status: 404)
    public static let unknownLedgerEntry = ErrorCode(name: "UnknownLedgerEntry", status: 404)
    public static let collectionNotFound = ErrorCode(name: "CollectionNotFound", status: 404)
    public static let userNotFound = ErrorCode(name: "UserNotFound", status: 404)
    public static let roleNotFound = ErrorCode(name: "RoleNotFound", status: 404)
    public static let functionNotFound = ErrorCode(name: "FunctionNotFound", status: 404)
    public static let operationNotFound = ErrorCode(name: "OperationNotFound", status: 404)
    /// A part of the interface that this service does not have; the message names it.
    public static let notOffered = ErrorCode(name: "NotOffered", status: 404)
    // 405 to 431
    public static let unsupportedHTTPVerb = ErrorCode(name: "UnsupportedHttpVerb", status: 405)
    public static let unsupportedContentType = ErrorCode(name: "UnsupportedContentType", status: 406)
    public static let roleAlreadyExists = ErrorCode(name: "RoleAlreadyExists", status: 409)
    public static let roleInUse = ErrorCode(name: "RoleInUse", status: 409)
    public static let lastAdministrator = ErrorCode(name: "LastAdministrator", status: 409)
    public static let requestEntityTooLarge = ErrorCode(name: "RequestEntityTooLarge", status: 413)
    public static let unsupportedMediaType = ErrorCode(name: "UnsupportedMediaType", status: 415)
    public static let rangeNotSatisfiable = ErrorCode(name: "InvalidRange", status: 416)
    public static let tooManyRequests = ErrorCode(name: "TooManyRequests", status: 429)
    public static let requestHeaderTooLarge = ErrorCode(name: "RequestHeaderTooLarge", status: 431)
    // 5xx
    public static let internalError = ErrorCode(name: "InternalError", status: 500)
    /// The write was rolled back for certain; it will never be committed.
    public static let transactionRolledBack = ErrorCode(name: "TransactionRolledBack", status: 503)
    /// The write may or may not have become durable.
    public static let outcomeUnknown = ErrorCode(name: "OutcomeUnknown", status: 503)
    /// The node takes no writes; the message says why.
    public static let notWritable = ErrorCode(name: "NotWritable", status: 503)
    public static let tooManyPendingTransactions = ErrorCode(name: "TooManyPendingTransactions", status: 503)
    /// The node cannot write its index, so newer transactions cannot be listed or proved yet.
    public static let indexUnavailable = ErrorCode(name: "IndexUnavailable", status: 503)
    /// The issuer of a token could not be asked for its keys.
    public static let issuerUnavailable = ErrorCode(name: "IssuerUnavailable", status: 503)

    /// All of them, for documents and tests.
    public static let all: [ErrorCode] = [
        .invalidInput, .invalidQueryParameterValue, .invalidHeaderValue, .invalidResourceName, .unsupportedAPIVersion,
        .invalidAuthenticationInfo, .notAllowed, .resourceNotFound, .invalidTransactionID,
        .transactionPendingOrUnknown, .transactionInvalid, .unknownLedgerEntry, .collectionNotFound, .userNotFound,
        .roleNotFound, .functionNotFound, .operationNotFound, .notOffered, .unsupportedHTTPVerb,
        .unsupportedContentType,
        .roleAlreadyExists, .roleInUse, .lastAdministrator, .requestEntityTooLarge, .unsupportedMediaType,
        .rangeNotSatisfiable, .tooManyRequests,
        .requestHeaderTooLarge, .internalError, .transactionRolledBack, .outcomeUnknown, .notWritable,
        .tooManyPendingTransactions, .indexUnavailable, .issuerUnavailable,
    ]
}
