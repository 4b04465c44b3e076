/// Who a caller proved to be. Two ways in, equal rights: `userID` is the only thing roles are attached to.
public struct Identity: Hashable, Sendable {
    /// How the caller was authenticated.
    public enum Method: String, Sendable {
        case certificate
        case token
    }

    /// The certificate's SHA-256 fingerprint (upper-case pairs joined by colons) or the token's subject.
    public var userID: String
    public var method: Method

    public init(userID: String, method: Method) {
        self.userID = userID
        self.method = method
    }
}
