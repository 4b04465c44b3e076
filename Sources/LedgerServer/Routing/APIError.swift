import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import NIOCore

/// An answer that is not a success. Handlers throw it; one place renders it.
struct APIError: Error, Sendable {
    let code: ErrorCode
    /// For the caller: names the input and the rule. Never contents, tokens or secrets.
    let message: String
    let headers: HTTPFields

    @inline(never)
    init(_ code: ErrorCode, _ message: String, headers: HTTPFields = [:]) {
        self.code = code
        self.message = message
        self.headers = headers
    }

    /// What the caller is told about an error of the node.
    @inline(never)
    init(_ error: LedgerError) {
        switch error.code {
        case .invalidInput: self.init(.invalidInput, error.reason)
        case .roleNotFound: self.init(.roleNotFound, error.reason)
        case .roleExists: self.init(.roleAlreadyExists, error.reason)
        case .roleInUse: self.init(.roleInUse, error.reason)
        case .lastAdministrator: self.init(.lastAdministrator, error.reason)
        case .notAllowed: self.init(.notAllowed, error.reason)
        case .transactionNotFound: self.init(.resourceNotFound, error.reason)
        case .transactionPending:
            self.init(.transactionPendingOrUnknown, error.reason, headers: [.cacheControl: "no-cache"])
        case .transactionInvalid: self.init(.transactionInvalid, error.reason)
        case .notWritable: self.init(.notWritable, error.reason)
        case .outcomeUnknown: self.init(.outcomeUnknown, error.reason)
        case .overloaded: self.init(.tooManyPendingTransactions, error.reason, headers: [.retryAfter: "1"])
        case .indexUnavailable: self.init(.indexUnavailable, error.reason, headers: [.retryAfter: "1"])
        // A reason is for the log: it may name paths of this machine.
        default:
            let place = error.place.map { " (\($0))" } ?? ""
            self.init(.internalError, "The node could not do this: \(error.code)\(place).")
        }
    }

    var response: Response {
        var fields = headers
        fields[.contentType] = "application/json"
        let body = ErrorEnvelope(code: code.name, message: message).encoded()
        return Response(
            status: HTTPResponse.Status(code: code.status), headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
