import HTTPTypes
import HummingbirdCore
import LedgerAPI

/// One method of one path.
struct Route: Sendable {
    typealias Handler = @Sendable (RequestContext) async throws -> Response

    let method: HTTPRequest.Method
    /// Segments in braces are parameters: `/app/users/{userId}`.
    let pattern: String
    let access: Access
    /// Left out of the OpenAPI document: parts that are not offered, and the benchmark's route.
    let isHidden: Bool
    let handler: Handler

    init(
        _ method: HTTPRequest.Method, _ pattern: String, _ access: Access, hidden: Bool = false,
        handler: @escaping Handler
    ) {
        self.method = method
        self.pattern = pattern
        self.access = access
        self.isHidden = hidden
        self.handler = handler
    }

    /// Throws `APIError` 406 when the caller's `accept` leaves out every form in which this route answers
    /// (ccf-formats 6.2). Downloads and metrics have one form each, whatever is asked for.
    func checkAccept(_ accept: String?) throws {
        guard let accept, accept != "application/json", accept != "*/*" else { return }
        if case .download = access { return }
        if pattern == "/metrics" || pattern == "/health" || pattern.hasSuffix("/receipt/cose") { return }
        let forms = pattern.hasSuffix("/receipt") ? ["application/json", "application/cose"] : ["application/json"]
        guard AcceptRule.allows(accept, anyOf: forms) else {
            throw APIError(
                .unsupportedContentType,
                "The accept header '\(accept.prefix(100))' leaves out \(forms.joined(separator: " and ")).")
        }
    }
}
