/// A place to which the database says it uploads digests.
public struct StoredDigestLocation: Sendable, Hashable {
    public var path: String
    public var lastBlock: Int64?
    public var isCurrent: Bool

    public init(path: String, lastBlock: Int64?, isCurrent: Bool) {
        self.path = path
        self.lastBlock = lastBlock
        self.isCurrent = isCurrent
    }
}
