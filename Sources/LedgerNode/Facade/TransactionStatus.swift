/// `Committed` and `Invalid` are final (ccf-formats 6.1).
public enum TransactionStatus: String, Sendable {
    case committed = "Committed"
    case pending = "Pending"
    case invalid = "Invalid"
    case unknown = "Unknown"
}
