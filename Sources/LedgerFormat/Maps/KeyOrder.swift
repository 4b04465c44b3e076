/// Finds repeated keys. Keys in ascending order, the normal case, cost one comparison each and no memory;
/// the first key out of order switches to a set.
struct KeyOrder {
    private var ascending: [UnsafeRawBufferPointer] = []
    private var seen: Set<[UInt8]>?
    private var last: UnsafeRawBufferPointer?
    private var hadEarlierRun = false

    /// Starts a second ascending run (the removes) whose keys must differ from those of the first.
    mutating func restart() {
        last = nil
        hadEarlierRun = !ascending.isEmpty
    }

    /// False when the key was inserted before.
    mutating func insert(_ key: UnsafeRawBufferPointer) -> Bool {
        if seen == nil, !hadEarlierRun {
            if let last, ByteOrder.compare(last, key) >= 0 {
                seen = Set(ascending.map { Array($0) })
            } else {
                last = key
                ascending.append(key)
                return true
            }
        }
        if seen == nil { seen = Set(ascending.map { Array($0) }) }
        return seen?.insert(Array(key)).inserted ?? false
    }
}
