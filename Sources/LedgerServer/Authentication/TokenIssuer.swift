/// One OpenID Connect issuer whose tokens are accepted.
public struct TokenIssuer: Hashable, Sendable {
    /// The exact value of `iss`.
    public var issuer: String
    /// Where the discovery document is; `nil`: `<issuer>/.well-known/openid-configuration`.
    public var discoveryURL: String?
    /// Claims that may hold the user id; the first one present as a non-empty string counts.
    public var userIDClaims: [String]

    public init(issuer: String, discoveryURL: String? = nil, userIDClaims: [String] = ["oid", "sub"]) {
        self.issuer = issuer
        self.discoveryURL = discoveryURL
        self.userIDClaims = userIDClaims
    }

    /// Both token versions of one Entra ID tenant; the user id is the object id (API spec B.2).
    public static func entra(tenant: String) -> [TokenIssuer] {
        let base = "https://login.microsoftonline.com/\(tenant)"
        return [
            TokenIssuer(issuer: "\(base)/v2.0", userIDClaims: ["oid"]),
            TokenIssuer(
                issuer: "https://sts.windows.net/\(tenant)/",
                discoveryURL: "\(base)/.well-known/openid-configuration", userIDClaims: ["oid"]),
        ]
    }

    var documentURL: String {
        if let discoveryURL { return discoveryURL }
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        return base + "/.well-known/openid-configuration"
    }
}
