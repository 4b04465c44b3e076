/// A user in the single-role family (API spec A.5).
public struct UserWord: Hashable, Sendable, Codable {
    public var userId: String
    public var assignedRole: String

    public init(userId: String, assignedRole: String) {
        self.userId = userId
        self.assignedRole = assignedRole
    }

    public var json: JSONValue { ["userId": .string(userId), "assignedRole": .string(assignedRole)] }
}

/// A user in the multi-role family (API spec A.5).
public struct LedgerUserWord: Hashable, Sendable, Codable {
    public var userId: String
    public var assignedRoles: [String]

    public init(userId: String, assignedRoles: [String]) {
        self.userId = userId
        self.assignedRoles = assignedRoles
    }

    public var json: JSONValue { ["userId": .string(userId), "assignedRoles": .strings(assignedRoles)] }
}
