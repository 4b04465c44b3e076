import HTTPTypes
import LedgerNode

/// Who asks for what. Checked when the head of a request is there, and again where a write is decided: meanwhile the body
/// may have been on its way, and the caller may have lost the right.
struct CallerRights: Sendable {
    let caller: Identity
    let action: LedgerAction
    let method: HTTPRequest.Method
    let path: String

    private var lead: String { "Not allowed to call \(method.rawValue) \(path.prefix(200))" }
    private var seen: String { "\(caller.userID) (\(caller.method.rawValue))" }

    /// Throws `LedgerError` (`notAllowed`).
    func check(_ rights: LedgerRights) throws { try check(rights.authorize(caller, action)) }

    /// The same for a decision about this caller and action.
    func check(_ decision: AuthorizationDecision) throws(LedgerError) {
        switch decision {
        case .allowed: return
        case .unknownUser:
            throw LedgerError(
                .notAllowed, "\(lead): \(seen) is not a user of this ledger; the call needs \(action.providerName).")
        case .missingAction(let roles):
            throw LedgerError(
                .notAllowed,
                "\(lead): \(seen) has the role \(roles.joined(separator: ", ")), which lacks \(action.providerName).")
        }
    }

    /// Nobody may hand out rights that it lacks: it could give them to itself. Throws `LedgerError` (`notAllowed`).
    private func checkGrant(
        of what: String, in rights: LedgerRights, allows: (LedgerAction) -> Bool
    ) throws(LedgerError) {
        let lacking = LedgerAction.allCases.filter { allows($0) && rights.authorize(caller, $0) != .allowed }
        guard lacking.isEmpty else {
            throw LedgerError(
                .notAllowed,
                "\(lead): \(what) allows " + lacking.map(\.providerName).joined(separator: ", ")
                    + ", which \(seen) may not do itself.")
        }
    }

    /// For a role that is to be made or changed.
    func checkGrant(of role: CustomRole, in rights: LedgerRights) throws(LedgerError) {
        try checkGrant(of: "the role \(role.name)", in: rights) { action in
            role.actions.contains { action.isCovered(by: $0) }
        }
    }

    /// For roles that are to be assigned. Unknown ones are left to the ledger.
    func checkGrant(ofRoles names: [String], in rights: LedgerRights) throws(LedgerError) {
        for name in names {
            if let builtIn = BuiltInRole(name: name) {
                try checkGrant(of: "the role \(builtIn.rawValue)", in: rights, allows: builtIn.allows)
            } else if let role = rights.role(name) {
                try checkGrant(of: role, in: rights)
            }
        }
    }
}
