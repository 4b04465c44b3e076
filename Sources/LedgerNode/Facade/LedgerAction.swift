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

    /// Whatever an action list may say, with the actions that it covers: every name, every beginning of one up to a slash
    /// with `*` behind it, and `*`. Made once, since every request of a user with a custom role asks.
    private static let covered: [ExactText: Set<LedgerAction>] = {
        var covered = [ExactText("*"): Set(allCases)]
        for action in allCases {
            for name in [action.providerName] + action.pathNames + action.pathNames.map({ "/app" + $0 }) {
                covered[ExactText(name), default: []].insert(action)
                for slash in name.indices where name[slash] == "/" {
                    covered[ExactText(name[...slash] + "*"), default: []].insert(action)
                }
            }
        }
        return covered
    }()

    /// What one entry of a custom role's action list covers.
    public static func covered(by roleAction: String) -> Set<LedgerAction> { covered[ExactText(roleAction)] ?? [] }

    /// Whether one entry of a custom role's action list covers this action.
    public func isCovered(by roleAction: String) -> Bool { Self.covered(by: roleAction).contains(self) }
}
