/// Records in memory that never change after they were put there.
final class RecordBlock: @unchecked Sendable {
    let records: UnsafeBufferPointer<LeafRecord>

    init(_ source: UnsafeBufferPointer<LeafRecord>) {
        let copy = UnsafeMutableBufferPointer<LeafRecord>.allocate(capacity: source.count)
        _ = copy.initialize(from: source)
        records = UnsafeBufferPointer(copy)
    }

    deinit { records.deallocate() }
}
