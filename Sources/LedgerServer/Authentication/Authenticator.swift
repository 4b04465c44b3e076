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
        guard let value = headers.value(.authorization) else { return connection.identity }
        let space = UInt8(ascii: " ")
        guard let end = value.utf8.firstIndex(of: space), value[..<end].lowercased() == "bearer" else {
            throw Self.refusal("the authorization header is not a bearer token")
        }
        let token = value[end...].utf8.drop { $0 == space }
        guard !token.isEmpty else { throw Self.refusal("the bearer token is empty") }
        do {
            if let known = try tokens.knownIdentity(of: Substring(token), last: connection.lastToken) { return known }
            return try await tokens.identity(of: String(Substring(token)))
        } catch let error as TokenError {
            switch error.kind {
            case .refused: throw Self.refusal(error.reason)
            case .issuerUnavailable:
                throw APIError(.issuerUnavailable, error.reason, headers: [.retryAfter: String(error.retryAfter)])
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
