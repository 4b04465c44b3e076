import LedgerProofs

/// Something a caller may be allowed to do. Built-in roles and custom roles are both lists of these.
///
/// Each action has two names that a custom role may use (API spec A.6): the resource provider's style and the
/// path style. A role action that ends in `/*` covers everything below it; `*` covers all.
public enum LedgerAction: String, CaseIterable, Sendable {
    case readTransactions = "transactions/read"
    case writeTransactions = "transactions/write"
    case readCollections = "collections/read"
    case readUsers = "users/read"
    case writeUsers = "users/write"
    case deleteUsers = "users/delete"
    case readRoles = "roles/read"
    case writeRoles = "roles/write"
    case deleteRoles = "roles/delete"
    case readGovernance = "governance/read"
    case readQuotes = "enclaveQuotes/read"

    /// `Microsoft.ConfidentialLedger/ledger/users/write` style.
    public var providerName: String { "Microsoft.ConfidentialLedger/ledger/\(rawValue)" }

    /// `/users/patch` style: the endpoint's path and a method, for every method that performs the action.
    public var pathNames: [String] {
        switch self {
        case .readTransactions: ["/transactions/get"]
        case .writeTransactions: ["/transactions/post"]
        case .readCollections: ["/collections/get"]
        case .readUsers: ["/users/get", "/ledgerUsers/get"]
        case .writeUsers: ["/users/patch", "/ledgerUsers/patch"]
        case .deleteUsers: ["/users/delete", "/ledgerUsers/delete"]
        case .readRoles: ["/roles/get"]
        case .writeRoles: ["/roles/put", "/roles/patch"]
        case .deleteRoles: ["/roles/delete"]
        case .readGovernance: ["/governance/get"]
        case .readQuotes: ["/enclaveQuotes/get"]
        }
    }

    /// All names of each action, made once: every request of a user with a custom role asks.
    private static let names: [LedgerAction: [String]] = Dictionary(
        uniqueKeysWithValues: allCases.map { action in
            (action, [action.providerName] + action.pathNames + action.pathNames.map { "/app" + $0 })
        })

    /// Whether one entry of a custom role's action list covers this action.
    public func isCovered(by roleAction: String) -> Bool {
        if ExactText.same(roleAction, "*") { return true }
        guard let names = Self.names[self] else { return false }
        if roleAction.utf8.suffix(2).elementsEqual("/*".utf8) {
            let prefix = roleAction.utf8.dropLast()
            return names.contains { $0.utf8.starts(with: prefix) }
        }
        return names.containsExactly(roleAction)
    }
}
