/// Everything one transaction writes, public and private tables together.
///
/// `put` and `remove` keep maps and keys in byte order, which is the order on disk. Values built by hand are
/// sorted by the encoder.
public struct WriteSet: Hashable, Sendable {
    public var maps: [MapWrites]

    public init(maps: [MapWrites] = []) { self.maps = maps }

    public var isEmpty: Bool { maps.isEmpty }

    /// The writes of `map`, or `nil` when the transaction does not touch it.
    public subscript(map: MapName) -> MapWrites? { maps.first { $0.name == map } }

    /// Writes `value`; replaces an earlier write or remove of the key.
    public mutating func put(_ map: MapName, key: [UInt8], value: [UInt8]) {
        let m = index(of: map)
        if !maps[m].removes.isEmpty { maps[m].removes.removeAll { $0 == key } }
        let at = Self.lowerBound(maps[m].writes.count) { ByteOrder.precedes(maps[m].writes[$0].key, key) }
        if at < maps[m].writes.count, maps[m].writes[at].key == key {
            maps[m].writes[at].value = value
        } else {
            maps[m].writes.insert(KeyValue(key: key, value: value), at: at)
        }
    }

    /// Removes the row; replaces an earlier write of the key.
    public mutating func remove(_ map: MapName, key: [UInt8]) {
        let m = index(of: map)
        if !maps[m].writes.isEmpty { maps[m].writes.removeAll { $0.key == key } }
        let at = Self.lowerBound(maps[m].removes.count) { ByteOrder.precedes(maps[m].removes[$0], key) }
        if at < maps[m].removes.count, maps[m].removes[at] == key { return }
        maps[m].removes.insert(key, at: at)
    }

    private mutating func index(of name: MapName) -> Int {
        if let last = maps.last {
            if last.name == name { return maps.count - 1 }
            if last.name < name {
                maps.append(MapWrites(name: name))
                return maps.count - 1
            }
        }
        if let found = maps.firstIndex(where: { $0.name == name }) { return found }
        let at = maps.firstIndex { name < $0.name } ?? maps.count
        maps.insert(MapWrites(name: name), at: at)
        return at
    }

    /// The first index for which `precedes` is false. Checks the end first: keys mostly arrive in order.
    private static func lowerBound(_ count: Int, precedes: (Int) -> Bool) -> Int {
        if count == 0 || precedes(count - 1) { return count }
        var low = 0
        var high = count - 1
        while low < high {
            let middle = (low + high) / 2
            if precedes(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
