import LedgerProofs

/// Users, roles and who may do what, as one transaction left them. A value: it does not change.
public struct LedgerRights: Sendable {
    let state: LedgerState

    /// The transaction.
    public var transactionID: TransactionID { state.last }

    public func user(_ userID: String) -> LedgerUser? { state.users[ExactText(userID)] }

    /// Ascending by user id, after `after`; at most `limit`.
    public func users(after: String?, limit: Int) -> [LedgerUser] {
        let after = after.map { ExactText($0) }
        return state.users.filter { id, _ in after.map { id > $0 } ?? true }
            .sorted { $0.key < $1.key }.prefix(limit).map(\.value)
    }

    public func role(_ name: String) -> CustomRole? { state.customRoles[ExactText(name)] }

    /// Ascending by name.
    public func roles() -> [CustomRole] { state.customRoles.sorted { $0.key < $1.key }.map(\.value) }

    public func authorize(_ identity: Identity, _ action: LedgerAction) -> AuthorizationDecision {
        state.authorize(identity, action)
    }
}

/// Throws `LedgerError` (`notAllowed`) when these rights do not allow what is about to be written. Called more than once,
/// on any thread, and must not block.
public typealias RightsCheck = @Sendable (LedgerRights) throws -> Void
