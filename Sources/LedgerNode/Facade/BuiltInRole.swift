/// The three roles every ledger has. Their names are compared without regard to case.
public enum BuiltInRole: String, CaseIterable, Sendable {
    case reader = "Reader"
    case contributor = "Contributor"
    case administrator = "Administrator"

    /// Accepts any case.
    public init?(name: String) {
        // Stored names are in the canonical case, and every request asks.
        if let role = BuiltInRole(rawValue: name) {
            self = role
            return
        }
        guard let role = Self.allCases.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else {
            return nil
        }
        self = role
    }

    public func allows(_ action: LedgerAction) -> Bool {
        switch (self, action) {
        case (.administrator, _): true
        case (_, .readTransactions), (_, .readCollections), (_, .readGovernance), (_, .readQuotes): true
        case (.contributor, .writeTransactions): true
        default: false
        }
    }
}
