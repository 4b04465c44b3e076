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
