/// A user of the ledger and the roles it holds. At least one role.
public struct LedgerUser: Hashable, Sendable {
    public var userID: String
    public var roles: [String]

    public init(userID: String, roles: [String]) {
        self.userID = userID
        self.roles = roles
    }
}

/// The three roles every ledger has. Their names are compared without regard to case.
public enum BuiltInRole: String, CaseIterable, Sendable {
    case reader = "Reader"
    case contributor = "Contributor"
    case administrator = "Administrator"

    /// Accepts any case.
    public init?(name: String) {
        guard let role = Self.allCases.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else {
            return nil
        }
        self = role
    }

    public var actions: Set<LedgerAction> {
        switch self {
        case .reader: [.readTransactions, .readCollections, .readGovernance, .readQuotes]
        case .contributor: BuiltInRole.reader.actions.union([.writeTransactions])
        case .administrator: Set(LedgerAction.allCases)
        }
    }
}

/// A role made by an administrator. Its name is case-sensitive and none of the built-in ones.
public struct CustomRole: Hashable, Sendable {
    public var name: String
    public var actions: [String]

    public init(name: String, actions: [String]) {
        self.name = name
        self.actions = actions
    }
}
