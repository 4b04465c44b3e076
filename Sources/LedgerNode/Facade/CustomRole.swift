/// A role made by an administrator. Its name is case-sensitive and none of the built-in ones.
public struct CustomRole: Hashable, Sendable {
    /// How many actions one role may have.
    public static let actionLimit = 256
    /// How many roles one call may make or change: whoever reads or writes meanwhile waits for it.
    public static let countLimit = 256

    public var name: String
    public var actions: [String]

    public init(name: String, actions: [String]) {
        self.name = name
        self.actions = actions
    }
}
