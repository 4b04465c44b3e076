import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs

/// API spec A.5: one store behind both families.
extension LedgerRoutes {
    var userRoutes: [Route] {
        [
            Route(.get, "/app/users", .requires(.readUsers), handler: userList),
            Route(.get, "/app/users/{userId}", .requires(.readUsers), handler: user),
            Route(.patch, "/app/users/{userId}", .requires(.writeUsers), handler: patchUser),
            Route(.delete, "/app/users/{userId}", .requires(.deleteUsers), handler: deleteUser),
            Route(.get, "/app/ledgerUsers", .requires(.readUsers), handler: ledgerUserList),
            Route(.get, "/app/ledgerUsers/{userId}", .requires(.readUsers), handler: ledgerUser),
            Route(.patch, "/app/ledgerUsers/{userId}", .requires(.writeUsers), handler: patchLedgerUser),
            Route(.delete, "/app/ledgerUsers/{userId}", .requires(.deleteUsers), handler: deleteUser),
        ]
    }

    /// The strongest built-in role, else the first custom one.
    static func assignedRole(_ user: LedgerUser) -> String {
        let held = user.roles.compactMap { BuiltInRole(name: $0) }
        for role in [BuiltInRole.administrator, .contributor, .reader] where held.contains(role) {
            return role.rawValue
        }
        return user.roles.first ?? ""
    }

    private static func single(_ user: LedgerUser) -> JSONValue {
        UserWord(userId: user.userID, assignedRole: assignedRole(user)).json
    }

    private static func multiple(_ user: LedgerUser) -> JSONValue {
        LedgerUserWord(userId: user.userID, assignedRoles: user.roles).json
    }

    private func userID(_ context: RequestContext) throws -> String {
        let id = context.parameters[0]
        guard UserIDRule.isAcceptable(id) else {
            throw APIError(
                .invalidResourceName,
                "The user id must have 1 to \(UserIDRule.byteLimit) bytes and no control characters.")
        }
        return UserIDRule.normalised(id)
    }

    private func found(_ context: RequestContext, _ word: (LedgerUser) -> JSONValue) throws -> Response {
        let id = try userID(context)
        let rights = ledger.rights
        guard let user = rights.user(id) else { throw APIError(.userNotFound, "'\(id)' is not a user of this ledger.") }
        return .json(word(user), rights.transactionID)
    }

    private func user(_ context: RequestContext) async throws -> Response { try found(context, Self.single) }

    private func ledgerUser(_ context: RequestContext) async throws -> Response { try found(context, Self.multiple) }

    private func userPage(
        _ context: RequestContext, _ path: String, _ word: (LedgerUser) -> JSONValue
    ) throws -> Response {
        let limit = try context.query.integer("limit", in: 1...Self.listLimit) ?? Self.listLimit
        let rights = ledger.rights
        let users = rights.users(after: Self.after(context), limit: limit)
        return .json(
            Self.list("ledgerUsers", .users, path, users.map(word), users.last?.userID, limit, context),
            rights.transactionID)
    }

    private func userList(_ context: RequestContext) async throws -> Response {
        try await PageCursor.page(of: .users, context) { try userPage($0, "/app/users", Self.single) }
    }

    private func ledgerUserList(_ context: RequestContext) async throws -> Response {
        try await PageCursor.page(of: .users, context) { try userPage($0, "/app/ledgerUsers", Self.multiple) }
    }

    /// For changes: a cut or mistyped fingerprint would be a user that no certificate can ever match.
    private func newUserID(_ context: RequestContext) throws -> String {
        let id = try userID(context)
        guard !UserIDRule.isBrokenFingerprint(id) else { throw Self.brokenFingerprint(id) }
        return id
    }

    private static func brokenFingerprint(_ id: String) -> APIError {
        APIError(
            .invalidResourceName,
            "The user id '\(id.prefix(100))' looks like a certificate fingerprint and is none: that has 32 pairs of "
                + "hexadecimal digits joined by colons.")
    }

    private static func grant(ofRoles roles: [String], _ context: RequestContext) throws -> RightsCheck {
        let wanted = try context.requiredRights()
        return { rights in
            try wanted.check(rights)
            try wanted.checkGrant(ofRoles: roles, in: rights)
        }
    }

    private func patchUser(_ context: RequestContext) async throws -> Response {
        let id = try newUserID(context)
        let body = try await object(context)
        guard let role = try Self.member("assignedRole", or: "assigned_role", of: body)?.stringValue, !role.isEmpty
        else {
            throw APIError(.invalidInput, "The request body lacks the string member \"assignedRole\".")
        }
        let (user, outcome) = try await ledger.setUser(
            LedgerUser(userID: id, roles: [role]), allowed: try Self.grant(ofRoles: [role], context))
        return .json(Self.single(user), outcome.transactionID)
    }

    private func patchLedgerUser(_ context: RequestContext) async throws -> Response {
        let id = try newUserID(context)
        let body = try await object(context)
        guard let list = try Self.member("assignedRoles", or: "assigned_roles", of: body)?.arrayValue, !list.isEmpty
        else {
            throw APIError(.invalidInput, "The request body lacks the non-empty array member \"assignedRoles\".")
        }
        let roles = list.compactMap(\.stringValue)
        guard roles.count == list.count, !roles.contains("") else {
            throw APIError(.invalidInput, "\"assignedRoles\" must hold role names only.")
        }
        guard roles.count <= LedgerUser.roleLimit else {
            throw APIError(.invalidInput, "\"assignedRoles\" must hold at most \(LedgerUser.roleLimit) roles.")
        }
        let (user, outcome) = try await ledger.setUser(
            LedgerUser(userID: id, roles: roles), allowed: try Self.grant(ofRoles: roles, context))
        return .json(Self.multiple(user), outcome.transactionID)
    }

    private static func member(_ name: String, or other: String, of body: JSONValue) throws(APIError) -> JSONValue? {
        do {
            return try body.member(name, or: other)
        } catch {
            throw APIError(.invalidInput, "The request body is not acceptable: \(error).")
        }
    }

    private func object(_ context: RequestContext) async throws -> JSONValue {
        let body = try await context.json(orMergePatch: true)
        guard case .object = body else { throw APIError(.invalidInput, "The request body must be a JSON object.") }
        return body
    }

    private func deleteUser(_ context: RequestContext) async throws -> Response {
        let id = try userID(context)
        let outcome = try await ledger.removeUser(id, allowed: try context.requiredRights().check)
        // Who mistypes a fingerprint would be told that somebody has no access any more. What an older build stored goes.
        if outcome == nil, UserIDRule.isBrokenFingerprint(id) { throw Self.brokenFingerprint(id) }
        return .noContent(outcome?.transactionID ?? context.readAt)
    }
}
