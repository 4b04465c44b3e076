/// A custom role and the actions it allows.
public struct RoleRecord: Hashable, Sendable {
    public var name: String
    public var actions: [String]

    public init(name: String, actions: [String]) {
        self.name = name
        self.actions = actions
    }
}
