/// The status of a node in `nodes.info`. Case-sensitive on disk.
public enum NodeStatus: String, Hashable, Sendable {
    case pending = "Pending"
    case trusted = "Trusted"
    case retired = "Retired"
}
