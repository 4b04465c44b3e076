/// What the server says about a transaction (API spec A.2).
public enum TransactionState: String, Sendable {
    case pending = "Pending"
    case committed = "Committed"
}
