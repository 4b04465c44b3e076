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
        let rights = ledger.rights
        if let name = context.query["roleName"] {
            if let builtIn = BuiltInRole(name: name) {
                let actions = LedgerAction.allCases.filter(builtIn.allows).map(\.providerName)
                found = [CustomRole(name: builtIn.rawValue, actions: actions)]
            } else if let role = rights.role(name) {
                found = [role]
            } else {
                throw APIError(.roleNotFound, "There is no role '\(name.prefix(100))'.")
            }
        } else {
            found = rights.roles()
        }
        let words = JSONValue.array(found.map(Self.word))
        switch context.version.roleShape {
        case .array: return .json(words, rights.transactionID)
        case .object, .objectWithoutContent: return .json(["role": words], rights.transactionID)
        }
    }

    private func body(_ context: RequestContext) async throws -> [CustomRole] {
        let value = try await context.json(orMergePatch: true)
        let roles: [CustomRole]
        do {
            roles = try RoleWord.list(value).map { CustomRole(name: $0.roleName, actions: $0.roleActions) }
        } catch {
            throw APIError(.invalidInput, "The request body is not acceptable: \(error).")
        }
        guard roles.count <= CustomRole.countLimit, roles.allSatisfy({ $0.actions.count <= CustomRole.actionLimit })
        else {
            throw APIError(
                .invalidInput,
                "At most \(CustomRole.countLimit) roles in one request and \(CustomRole.actionLimit) actions in each role "
                    + "are allowed.")
        }
        return roles
    }

    private func echo(_ context: RequestContext, _ roles: [CustomRole], _ outcome: WriteOutcome) -> Response {
        let words = JSONValue.array(roles.map(Self.word))
        switch context.version.roleShape {
        case .array: return .json(words, outcome.transactionID)
        case .object, .objectWithoutContent: return .json(["roles": words], outcome.transactionID)
        }
    }

    private static func grant(of roles: [CustomRole], _ context: RequestContext) throws -> RightsCheck {
        let wanted = try context.requiredRights()
        let grants = roles.map(CallerRights.Grant.init)
        return { rights in
            try wanted.check(rights)
            try wanted.check(grants, in: rights)
        }
    }

    private func createRoles(_ context: RequestContext) async throws -> Response {
        let roles = try await body(context)
        return echo(context, roles, try await ledger.createRoles(roles, allowed: try Self.grant(of: roles, context)))
    }

    private func updateRoles(_ context: RequestContext) async throws -> Response {
        let roles = try await body(context)
        return echo(context, roles, try await ledger.updateRoles(roles, allowed: try Self.grant(of: roles, context)))
    }

    private func deleteRole(_ context: RequestContext) async throws -> Response {
        guard let name = context.query["roleName"] else {
            throw APIError(.invalidQueryParameterValue, "The query parameter 'roleName' is missing.")
        }
        let outcome = try await ledger.removeRole(name, allowed: try context.requiredRights().check)
        switch context.version.roleShape {
        case .objectWithoutContent: return .noContent(outcome.transactionID)
        case .array, .object:
            return Response(status: .ok, headers: [FieldNames.transactionID: outcome.transactionID.description])
        }
    }
}
