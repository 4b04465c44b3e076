/// A role made by an administrator. Its name is case-sensitive and none of the built-in ones.
public struct CustomRole: Hashable, Sendable {
    public var name: String
    public var actions: [String]

    public init(name: String, actions: [String]) {
        self.name = name
        self.actions = actions
    }
}
