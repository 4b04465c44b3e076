/// Whether an identity may do something, and if not, why, in words for the caller.
public enum AuthorizationDecision: Hashable, Sendable {
    case allowed
    /// The identity is not a user of this ledger.
    case unknownUser
    /// A user, but none of the roles (listed) covers the action.
    case missingAction(roles: [String])
}
