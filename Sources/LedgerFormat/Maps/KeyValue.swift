/// One write: a key and the value it has from now on.
public struct KeyValue: Hashable, Sendable {
    public var key: [UInt8]
    public var value: [UInt8]

    public init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }
}

/// Eight zero bytes: the key of a table with one row, and the value of every member of a set.
public let zeroKey: [UInt8] = [UInt8](repeating: 0, count: 8)
