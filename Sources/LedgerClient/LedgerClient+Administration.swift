import LedgerAPI
import LedgerProofs
import NIOHTTP1

extension LedgerClient {
    // MARK: Users with several roles

    /// Ascending by id. Needs a role that may read users.
    public func users() async throws -> [UserRecord] {
        try await all("/app/ledgerUsers", of: "users", Wire.Users.self) { page in
            (page.ledgerUsers.map { UserRecord(userID: $0.userId ?? "", roles: $0.assignedRoles) }, page.nextLink)
        }
    }

    /// Errors: `notFound`.
    public func user(_ userID: String) async throws -> UserRecord {
        let answer = try await get("/app/ledgerUsers/\(PercentEncoding.encode(userID))")
        let user = try decode(Wire.User.self, from: answer, of: "user \(userID)")
        return UserRecord(userID: user.userId ?? userID, roles: user.assignedRoles)
    }

    /// Creates the user or replaces its roles. At least one role. Errors: `refused` for unknown roles and for the
    /// last administrator.
    @discardableResult
    public func setUser(_ userID: String, roles: [String]) async throws -> UserRecord {
        let answer = try await send(
            .PATCH, "/app/ledgerUsers/\(PercentEncoding.encode(userID))",
            json: Wire.User(userId: nil, assignedRoles: roles), contentType: "application/merge-patch+json")
        let user = try decode(Wire.User.self, from: answer, of: "user \(userID)")
        return UserRecord(userID: user.userId ?? userID, roles: user.assignedRoles)
    }

    /// Errors: `refused` for the last administrator.
    public func removeUser(_ userID: String) async throws {
        _ = try await send(
            .DELETE, "/app/ledgerUsers/\(PercentEncoding.encode(userID))", json: nil, accepted: [204])
    }

    // MARK: Users with one role (the older family; same users)

    /// Of several roles the strongest built-in one is told. Errors: `notFound`.
    public func singleRole(of userID: String) async throws -> String {
        let answer = try await get("/app/users/\(PercentEncoding.encode(userID))")
        return try decode(Wire.SingleRoleUser.self, from: answer, of: "user \(userID)").assignedRole
    }

    @discardableResult
    public func setSingleRole(of userID: String, to role: String) async throws -> String {
        let answer = try await send(
            .PATCH, "/app/users/\(PercentEncoding.encode(userID))",
            json: Wire.SingleRoleUser(userId: nil, assignedRole: role), contentType: "application/merge-patch+json")
        return try decode(Wire.SingleRoleUser.self, from: answer, of: "user \(userID)").assignedRole
    }

    // MARK: Roles

    /// The custom roles.
    public func roles() async throws -> [RoleRecord] {
        try await rolesAnswer([])
    }

    /// `nil` when there is none of that name.
    public func role(_ name: String) async throws -> RoleRecord? {
        do {
            return try await rolesAnswer([("roleName", name)]).first { ExactText.same($0.name, name) }
        } catch let error as LedgerClientError where error.serverCode == "RoleNotFound" {
            return nil
        }
    }

    private func rolesAnswer(_ query: [(String, String)]) async throws -> [RoleRecord] {
        let answer = try await get("/app/roles", query)
        return try decode(Wire.RolesAnswer.self, from: answer, of: "roles").role.map {
            RoleRecord(name: $0.roleName, actions: $0.roleActions)
        }
    }

    /// Errors: `refused` when a role of that name exists.
    public func createRole(_ role: RoleRecord) async throws {
        _ = try await send(.PUT, "/app/roles", json: Self.body(role), accepted: [200, 201])
    }

    /// Replaces the actions. Errors: `notFound`.
    public func updateRole(_ role: RoleRecord) async throws {
        _ = try await send(
            .PATCH, "/app/roles", json: Self.body(role), contentType: "application/merge-patch+json")
    }

    /// Creates the role or replaces its actions.
    public func setRole(_ role: RoleRecord) async throws {
        do {
            try await createRole(role)
        } catch let error as LedgerClientError where error.status == 409 {
            try await updateRole(role)
        }
    }

    /// Errors: `notFound`; `refused` while a user holds it.
    public func removeRole(_ name: String) async throws {
        _ = try await send(.DELETE, "/app/roles", [("roleName", name)], json: nil, accepted: [200, 204])
    }

    private static func body(_ role: RoleRecord) -> Wire.RolesBody {
        Wire.RolesBody(roles: [RoleWord(roleName: role.name, roleActions: role.actions)])
    }

    // MARK: Collections and tags

    /// Ascending by id.
    public func collections() async throws -> [String] {
        try await all("/app/collections", of: "collections", Wire.Collections.self) { page in
            (page.collections.map(\.collectionId), page.nextLink)
        }
    }

    /// The tags used in one collection (`nil`: as the server understands it).
    public func tags(collectionID: String? = nil) async throws -> [String] {
        let query = collectionID.map { [("collectionId", $0)] } ?? []
        return try await all("/app/collections/tags", query, of: "tags", Wire.Tags.self) { ($0.tags, $0.nextLink) }
    }

    // MARK: Identity

    /// The service certificate as the server tells it, over the pinned connection.
    public func identity(ledgerID: String) async throws -> ServiceIdentity {
        let answer = try await get("/ledgerIdentity/\(PercentEncoding.encode(ledgerID))")
        let identity = try decode(IdentityWord.self, from: answer, of: "identity of \(ledgerID)")
        return try ServiceIdentity(identity, from: "identity of \(ledgerID)")
    }

    // MARK: Paging

    /// Of one list, in answers and in bytes: more than a ledger has, but a server without end does not fill the memory.
    static let listAnswerLimit = 100_000
    static let listByteCountLimit = 512 << 20

    private func all<Page: Decodable, Item>(
        _ path: String, _ query: [(String, String)] = [], of what: String, _ type: Page.Type,
        _ read: (Page) -> (items: [Item], next: String?)
    ) async throws -> [Item] {
        var items: [Item] = []
        var next: String? = target(path, query)
        var seen: Set<String> = []
        var byteCount = 0
        while let current = next {
            guard seen.insert(current).inserted else {
                throw LedgerClientError(.unexpectedResponse, "\(what): the next page is one that was read before")
            }
            let answer = try await page(rawTarget: current)
            byteCount += answer.body.count
            guard seen.count <= Self.listAnswerLimit, byteCount <= Self.listByteCountLimit else {
                throw LedgerClientError(.unexpectedResponse, "\(what): the list is too long to be told at once")
            }
            let (more, link) = read(try decode(type, from: answer, of: what))
            items += more
            next = try nextTarget(link, after: current)
        }
        return items
    }

    private func page(rawTarget: String) async throws -> HTTPAnswer {
        try await transport.send(
            HTTPCall(method: .GET, target: rawTarget, body: nil, requestID: RequestID.random()))
    }

    func page(at target: String) async throws -> (entries: [EntryRecord], next: String?, isLoading: Bool) {
        let answer = try await page(rawTarget: target)
        let page = try decode(Wire.EntryPage.self, from: answer, of: "range")
        return (
            try page.entries.map { try record($0) }, try nextTarget(page.nextLink, after: target),
            page.state == "Loading"
        )
    }
}
