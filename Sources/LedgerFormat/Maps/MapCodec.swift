/// The byte layout of maps, the same in the public and the private domain (CCF ledger format 2.3).
enum MapCodec {
    // MARK: Writing

    /// Appends the maps of `maps` whose domain is `wantPublic`. Requires `maps` to be normalised.
    static func append(_ maps: [MapWrites], wantPublic: Bool, to buffer: inout [UInt8]) {
        for map in maps where map.name.isPublic == wantPublic {
            buffer.append(prefixed: map.name.rawValue)
            buffer.append(littleEndian: UInt64(0))
            buffer.append(littleEndian: UInt64(0))
            buffer.append(littleEndian: UInt64(map.writes.count))
            for write in map.writes {
                buffer.append(prefixed: write.key)
                buffer.append(prefixed: write.value)
            }
            buffer.append(littleEndian: UInt64(map.removes.count))
            for key in map.removes { buffer.append(prefixed: key) }
        }
    }

    /// The maps in the order of the disk, with nothing copied when they already are.
    static func normalised(_ maps: [MapWrites]) throws(LedgerFormatError) -> [MapWrites] {
        if isNormalised(maps) { return maps }
        var sorted = maps.sorted { $0.name < $1.name }
        for i in sorted.indices {
            sorted[i].writes.sort { ByteOrder.precedes($0.key, $1.key) }
            sorted[i].removes.sort { ByteOrder.precedes($0, $1) }
        }
        guard isNormalised(sorted) else {
            for map in sorted where map.name.rawValue.isEmpty {
                throw LedgerFormatError(.mapName, "a map name must not be empty")
            }
            throw LedgerFormatError(.duplicateKey, "a map or key occurs twice in one write set")
        }
        return sorted
    }

    private static func isNormalised(_ maps: [MapWrites]) -> Bool {
        for (i, map) in maps.enumerated() {
            if map.name.rawValue.isEmpty { return false }
            if i > 0, !(maps[i - 1].name < map.name) { return false }
            if map.writes.count > 1 {
                for j in 1..<map.writes.count
                where !ByteOrder.precedes(map.writes[j - 1].key, map.writes[j].key) { return false }
            }
            if map.removes.count > 1 {
                for j in 1..<map.removes.count
                where !ByteOrder.precedes(map.removes[j - 1], map.removes[j]) { return false }
            }
        }
        return true
    }

    // MARK: Reading

    /// Reads maps up to the end of the bytes. Checks the structure of all of them and returns those `wanted` picks.
    ///
    /// Any order is accepted, as CCF does; a repeated map or key is not.
    static func decode(
        _ cursor: inout ByteCursor, isPublic: Bool, limits: FormatLimits,
        wanted: (UnsafeRawBufferPointer) -> Bool
    ) throws(LedgerFormatError) -> [MapWrites] {
        var result: [MapWrites] = []
        var names: [UnsafeRawBufferPointer] = []
        var previous: UnsafeRawBufferPointer?
        while cursor.remaining > 0 {
            let at = cursor.errorOffset
            let name = try cursor.prefixed("map name")
            guard !name.isEmpty else { throw LedgerFormatError(.mapName, at: at, "a map name must not be empty") }
            guard name.starts(with: MapName.publicPrefix.utf8) == isPublic else {
                throw LedgerFormatError(
                    .mapName, at: at, "a map belongs to the public domain exactly when its name starts with public:")
            }
            guard names.count < limits.mapCount else {
                throw LedgerFormatError(.count, at: at, "more than \(limits.mapCount) maps")
            }
            if let previous, ByteOrder.compare(previous, name) >= 0,
                names.contains(where: { ByteOrder.compare($0, name) == 0 })
            {
                throw LedgerFormatError(.mapName, at: at, "the map occurs twice in one transaction")
            }
            names.append(name)
            previous = previous.map { ByteOrder.compare($0, name) < 0 ? name : $0 } ?? name
            guard let text = String(validating: name, as: UTF8.self) else {
                throw LedgerFormatError(.mapName, at: at, "a map name must be UTF-8")
            }
            let keep = wanted(name)
            var map = MapWrites(name: MapName(text))
            try decodeRows(&cursor, keep: keep, limits: limits, into: &map)
            if keep { result.append(map) }
        }
        return result
    }

    private static func decodeRows(
        _ cursor: inout ByteCursor, keep: Bool, limits: FormatLimits, into map: inout MapWrites
    ) throws(LedgerFormatError) {
        try cursor.zero64("read version")
        try cursor.zero64("read count")
        var keys = KeyOrder()
        let writeCount = try cursor.count("write count", minimum: 16, limit: limits.keyCount)
        if keep { map.writes.reserveCapacity(writeCount) }
        for _ in 0..<writeCount {
            let at = cursor.errorOffset
            let key = try cursor.prefixed("key")
            let value = try cursor.prefixed("value")
            guard keys.insert(key) else {
                throw LedgerFormatError(.duplicateKey, at: at, "the key occurs twice in one map")
            }
            if keep { map.writes.append(KeyValue(key: Array(key), value: Array(value))) }
        }
        let removeCount = try cursor.count("remove count", minimum: 8, limit: limits.keyCount)
        if keep { map.removes.reserveCapacity(removeCount) }
        keys.restart()
        for _ in 0..<removeCount {
            let at = cursor.errorOffset
            let key = try cursor.prefixed("removed key")
            guard keys.insert(key) else {
                throw LedgerFormatError(.duplicateKey, at: at, "the key occurs twice in one map")
            }
            if keep { map.removes.append(Array(key)) }
        }
    }
}
