/// What one transaction does to one table.
public struct MapWrites: Hashable, Sendable {
    public var name: MapName
    public var writes: [KeyValue]
    public var removes: [[UInt8]]

    public init(name: MapName, writes: [KeyValue] = [], removes: [[UInt8]] = []) {
        self.name = name
        self.writes = writes
        self.removes = removes
    }

    /// The value written for `key`, or `nil`.
    public func value(for key: [UInt8]) -> [UInt8]? {
        writes.last { $0.key == key }?.value
    }
}
