/// One table of a snapshot.
public struct SnapshotMap: Hashable, Sendable {
    public var name: MapName
    /// The seqno of the table's last write.
    public var version: UInt64
    /// In any order.
    public var records: [SnapshotRecord]

    public init(name: MapName, version: UInt64, records: [SnapshotRecord] = []) {
        self.name = name
        self.version = version
        self.records = records
    }
}
