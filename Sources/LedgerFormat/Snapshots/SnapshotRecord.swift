/// One row of a table in a snapshot.
public struct SnapshotRecord: Hashable, Sendable {
    public var key: [UInt8]
    /// The seqno of the write.
    public var version: UInt64
    public var value: [UInt8]

    public init(key: [UInt8], version: UInt64, value: [UInt8]) {
        self.key = key
        self.version = version
        self.value = value
    }
}
