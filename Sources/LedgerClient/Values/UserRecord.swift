/// A user and its roles.
public struct UserRecord: Hashable, Sendable {
    /// A certificate fingerprint (upper-case pairs joined by colons) or a token's subject.
    public var userID: String
    public var roles: [String]

    public init(userID: String, roles: [String]) {
        self.userID = userID
        self.roles = roles
    }
}
