import LedgerProofs

/// A custom role (API spec A.6).
public struct RoleWord: Hashable, Sendable, Codable {
    public var roleName: String
    public var roleActions: [String]

    public init(roleName: String, roleActions: [String]) {
        self.roleName = roleName
        self.roleActions = roleActions
    }

    public var json: JSONValue { ["roleName": .string(roleName), "roleActions": .strings(roleActions)] }

    /// Reads an array of roles or an object with the member `roles`, members in camel or snake case. At least one
    /// role, no name twice.
    public static func list(_ body: JSONValue) throws(JSONError) -> [RoleWord] {
        let elements: [JSONValue]
        switch body {
        case .array(let list): elements = list
        case .object:
            guard let list = body["roles"]?.arrayValue else {
                throw JSONError("the body must be an array of roles or an object with the array member \"roles\"")
            }
            elements = list
        default: throw JSONError("the body must be an array of roles or an object with the array member \"roles\"")
        }
        guard !elements.isEmpty else { throw JSONError("the list of roles is empty") }
        var names: Set<ExactText> = []
        var roles: [RoleWord] = []
        for element in elements {
            guard case .object = element else { throw JSONError("each role must be a JSON object") }
            guard let name = try element.member("roleName", or: "role_name")?.stringValue else {
                throw JSONError("a role lacks the string member \"roleName\"")
            }
            guard let list = try element.member("roleActions", or: "role_actions")?.arrayValue else {
                throw JSONError("a role lacks the array member \"roleActions\"")
            }
            var actions: [String] = []
            for action in list {
                guard let text = action.stringValue else { throw JSONError("\"roleActions\" must hold strings only") }
                actions.append(text)
            }
            guard names.insert(ExactText(name)).inserted else {
                throw JSONError("the role \"\(name.prefix(64))\" comes twice")
            }
            roles.append(RoleWord(roleName: name, roleActions: actions))
        }
        return roles
    }
}
