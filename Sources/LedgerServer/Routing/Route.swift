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
    /// The media types of which a caller must accept one; `nil` where there is one form, whatever is asked for.
    let forms: [String]?
    let handler: Handler

    init(
        _ method: HTTPRequest.Method, _ pattern: String, _ access: Access, hidden: Bool = false,
        forms: [String]? = ["application/json"], handler: @escaping Handler
    ) {
        self.method = method
        self.pattern = pattern
        self.access = access
        self.isHidden = hidden
        if case .download = access { self.forms = nil } else { self.forms = forms }
        self.handler = handler
    }

    /// A receipt as JSON, or as COSE for who asks for it.
    static let receiptForms = ["application/json", "application/cose"]

    /// Throws `APIError` 406 when the caller's `accept` leaves out every form in which this route answers
    /// (ccf-formats 6.2).
    func checkAccept(_ accept: String?) throws {
        guard let accept, let forms, accept != "application/json", accept != "*/*" else { return }
        guard AcceptRule.allows(accept, anyOf: forms) else {
            throw APIError(
                .unsupportedContentType,
                "The accept header '\(accept.prefix(100))' leaves out \(forms.joined(separator: " and ")).")
        }
    }
}
