import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode

/// Finds out who sent a request. A bearer token counts before a client certificate: it belongs to the request,
/// the certificate to the connection. A bad token is refused even when a certificate is there.
struct Authenticator: Sendable {
    let tokens: TokenVerifier

    /// `nil`: neither token nor certificate. Throws `APIError` 401, or 503 when the issuer cannot be asked.
    func identity(_ headers: HTTPFields, connection: ConnectionInfo) async throws -> Identity? {
        guard let value = headers[.authorization] else { return connection.identity }
        guard let space = value.firstIndex(of: " "), value[..<space].lowercased() == "bearer" else {
            throw Self.refusal("the authorization header is not a bearer token")
        }
        let token = value[space...].drop { $0 == " " }
        guard !token.isEmpty else { throw Self.refusal("the bearer token is empty") }
        do {
            return try await tokens.identity(of: String(token))
        } catch let error as TokenError {
            switch error.kind {
            case .refused: throw Self.refusal(error.reason)
            case .issuerUnavailable:
                throw APIError(.issuerUnavailable, error.reason, headers: [.retryAfter: "5"])
            }
        }
    }

    static func refusal(_ reason: String) -> APIError {
        APIError(
            .invalidAuthenticationInfo, "Not authenticated: \(reason).", headers: [.wwwAuthenticate: "Bearer"])
    }

    /// The sentence for a caller that sent nothing.
    static let nothingSent = refusal("send a client certificate or a bearer token")
}
