import HTTPTypes
import HummingbirdCore

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
}
