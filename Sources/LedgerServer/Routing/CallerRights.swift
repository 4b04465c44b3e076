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

    /// What a role allows, found before the rights are asked: everybody waits for that question.
    struct Grant: Sendable {
        let name: String
        let actions: [LedgerAction]

        init(_ role: CustomRole) {
            name = role.name
            let covered = role.actions.reduce(into: Set<LedgerAction>()) { $0.formUnion(LedgerAction.covered(by: $1)) }
            actions = LedgerAction.allCases.filter(covered.contains)
        }

        init(_ role: BuiltInRole) {
            name = role.rawValue
            actions = LedgerAction.allCases.filter(role.allows)
        }
    }

    /// For roles that are to be made, changed or assigned. Nobody may hand out rights that it lacks: it could give them to
    /// itself. Throws `LedgerError` (`notAllowed`).
    func check(_ grants: [Grant], in rights: LedgerRights) throws(LedgerError) {
        let lacking = LedgerAction.allCases.filter { rights.authorize(caller, $0) != .allowed }
        guard !lacking.isEmpty else { return }
        for grant in grants {
            let excess = grant.actions.filter(lacking.contains)
            guard excess.isEmpty else {
                throw LedgerError(
                    .notAllowed,
                    "\(lead): the role \(grant.name) allows " + excess.map(\.providerName).joined(separator: ", ")
                        + ", which \(seen) may not do itself.")
            }
        }
    }

    /// For roles that are to be assigned, at most as many as a user may hold. Unknown ones are left to the ledger.
    func checkGrant(ofRoles names: [String], in rights: LedgerRights) throws(LedgerError) {
        try check(
            names.compactMap { BuiltInRole(name: $0).map(Grant.init) ?? rights.role($0).map(Grant.init) }, in: rights)
    }
}
