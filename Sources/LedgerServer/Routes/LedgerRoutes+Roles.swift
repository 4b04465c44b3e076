import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs

/// API spec A.6: the answer's shape follows the requested api-version, every body shape is read.
extension LedgerRoutes {
    var roleRoutes: [Route] {
        [
            Route(.get, "/app/roles", .requires(.readRoles), handler: roleList),
            Route(.put, "/app/roles", .requires(.writeRoles), handler: createRoles),
            Route(.patch, "/app/roles", .requires(.writeRoles), handler: updateRoles),
            Route(.delete, "/app/roles", .requires(.deleteRoles), handler: deleteRole),
        ]
    }

    private static func word(_ role: CustomRole) -> JSONValue {
        RoleWord(roleName: role.name, roleActions: role.actions).json
    }

    private func roleList(_ context: RequestContext) async throws -> Response {
        let found: [CustomRole]
        if let name = context.query["roleName"] {
            if let builtIn = BuiltInRole(name: name) {
                let actions = LedgerAction.allCases.filter(builtIn.allows).map(\.providerName)
                found = [CustomRole(name: builtIn.rawValue, actions: actions)]
            } else if let role = ledger.role(name) {
                found = [role]
            } else {
                throw APIError(.roleNotFound, "There is no role '\(name.prefix(100))'.")
            }
        } else {
            found = ledger.roles()
        }
        let words = JSONValue.array(found.map(Self.word))
        switch context.version.roleShape {
        case .array: return .json(words, ledger.committed)
        case .object, .objectWithoutContent: return .json(["role": words], ledger.committed)
        }
    }

    private func body(_ context: RequestContext) async throws -> [CustomRole] {
        let value = try await context.json(orMergePatch: true)
        do {
            return try RoleWord.list(value).map { CustomRole(name: $0.roleName, actions: $0.roleActions) }
        } catch {
            throw APIError(.invalidInput, "The request body is not acceptable: \(error).")
        }
    }

    private func echo(_ context: RequestContext, _ roles: [CustomRole], _ outcome: WriteOutcome) -> Response {
        let words = JSONValue.array(roles.map(Self.word))
        switch context.version.roleShape {
        case .array: return .json(words, outcome.transactionID)
        case .object, .objectWithoutContent: return .json(["roles": words], outcome.transactionID)
        }
    }

    /// Nobody may hand out rights that it lacks: it could give them to itself. Throws `APIError` 403.
    func checkGrant(_ context: RequestContext, of what: String, allows: (LedgerAction) -> Bool) throws {
        let caller = try context.caller()
        let lacking = LedgerAction.allCases.filter { allows($0) && ledger.authorize(caller, $0) != .allowed }
        guard lacking.isEmpty else {
            throw APIError(
                .notAllowed,
                "Not allowed to call \(context.request.method.rawValue) \(context.path.prefix(200)): \(what) allows "
                    + lacking.map(\.providerName).joined(separator: ", ")
                    + ", which \(caller.userID) (\(caller.method.rawValue)) may not do itself.")
        }
    }

    /// The same for roles that are to be assigned. Unknown ones are left to the ledger.
    func checkGrant(_ context: RequestContext, ofRoles names: [String]) throws {
        for name in names {
            if let builtIn = BuiltInRole(name: name) {
                try checkGrant(context, of: "the role \(builtIn.rawValue)", allows: builtIn.allows)
            } else if let role = ledger.role(name) {
                try checkGrant(context, of: role)
            }
        }
    }

    private func checkGrant(_ context: RequestContext, of role: CustomRole) throws {
        try checkGrant(context, of: "the role \(role.name)") { action in
            role.actions.contains { action.isCovered(by: $0) }
        }
    }

    private func createRoles(_ context: RequestContext) async throws -> Response {
        let roles = try await body(context)
        for role in roles { try checkGrant(context, of: role) }
        return echo(context, roles, try await ledger.createRoles(roles))
    }

    private func updateRoles(_ context: RequestContext) async throws -> Response {
        let roles = try await body(context)
        for role in roles { try checkGrant(context, of: role) }
        return echo(context, roles, try await ledger.updateRoles(roles))
    }

    private func deleteRole(_ context: RequestContext) async throws -> Response {
        guard let name = context.query["roleName"] else {
            throw APIError(.invalidQueryParameterValue, "The query parameter 'roleName' is missing.")
        }
        let outcome = try await ledger.removeRole(name)
        switch context.version.roleShape {
        case .objectWithoutContent: return .noContent(outcome.transactionID)
        case .array, .object:
            return Response(status: .ok, headers: [FieldNames.transactionID: outcome.transactionID.description])
        }
    }
}
