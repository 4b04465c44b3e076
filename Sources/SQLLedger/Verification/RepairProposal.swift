/// What would put a finding right, as a new and ledgered change. History is never rewritten: where only that would
/// help, `action` is `.impossible` and `explanation` says why.
public struct RepairProposal: Sendable, Hashable {
    public var action: Action

    /// The table to change.
    public var table: String

    /// The row to change.
    public var key: [NamedValue]

    /// The values to set.
    public var values: [NamedValue]

    /// What the change does and what it leaves, in a sentence.
    public var explanation: String

    public init(
        _ action: Action, table: String, key: [NamedValue] = [], values: [NamedValue] = [], explanation: String
    ) {
        self.action = action
        self.table = table
        self.key = key
        self.values = values
        self.explanation = explanation
    }

    /// What a repair does.
    public enum Action: String, Sendable, Hashable {
        case update = "UPDATE"
        case insert = "INSERT"
        case delete = "DELETE"
        /// Build an index again from its table.
        case reindex = "REINDEX"
        /// Let the engine write its own triggers and views again.
        case reinstall = "REINSTALL"
        /// Nothing that a ledgered change can do.
        case impossible = "NONE"
    }
}
