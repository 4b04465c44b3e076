/// A user of the ledger and the roles it holds. At least one role.
public struct LedgerUser: Hashable, Sendable {
    /// How many roles one user may hold.
    public static let roleLimit = 32

    public var userID: String
    public var roles: [String]

    public init(userID: String, roles: [String]) {
        self.userID = userID
        self.roles = roles
    }
}
