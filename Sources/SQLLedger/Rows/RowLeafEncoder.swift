import Crypto
import LedgerProofs

/// Computes the leaf hashes of rows, one after the other, in one buffer that is used again: the hot path of capture
/// and verification.
///
/// `begin`, one `append` for each stored column in ordinal order, `finish`. Values over 1 MiB are hashed from where
/// they are, so memory does not grow with them.
///
/// Documentation/spec/sql-row.md
public struct RowLeafEncoder: ~Copyable, @unchecked Sendable {
    // Owned by the value, which cannot be copied; `capacity` bytes of which `count` are in use.
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    @usableFromInline var count = 0

    /// What went before the buffer's bytes, when the row is too large for it.
    @usableFromInline var stream: SHA256?

    @usableFromInline let collectsChecks: Bool

    /// The checks of the values appended since `begin`, in order; empty unless the encoder collects them.
    public var columnChecks: [UInt16] {
        (0..<checkCount).map {
            UInt16(bigEndian: record.load(fromByteOffset: Self.recordHeaderByteCount + 2 * $0, as: UInt16.self))
        }
    }

    // The leaf as a chunk stores it: room for its hash and the number of checks, and the checks. Owned like `base`; has
    // room for `checkCapacity` checks.
    @usableFromInline var record: UnsafeMutableRawPointer
    @usableFromInline var checkCapacity: Int
    @usableFromInline var checkCount = 0
    @usableFromInline static let recordHeaderByteCount = Digest32.byteCount + 2

    /// The buffer never grows beyond twice this size.
    @usableFromInline static let largeByteCount = 1 << 20

    /// - Parameter collectsChecks: whether `columnChecks` are computed.
    public init(collectsChecks: Bool = false) {
        capacity = 4096
        base = .allocate(byteCount: capacity, alignment: 16)
        checkCapacity = 64
        record = .allocate(byteCount: Self.recordHeaderByteCount + 2 * checkCapacity, alignment: 16)
        self.collectsChecks = collectsChecks
    }

    deinit {
        base.deallocate()
        record.deallocate()
    }

    /// Starts a leaf. `start` is where the version was created: needed for `ended`, absent for `created`.
    /// Traps when it is the other way round, and unless `0 <= columnCount <= UInt16.max`.
    @inlinable
    public mutating func begin(
        operation: RowOperation, table: TableID, schema: Digest32, transaction: TransactionNumber,
        sequence: LeafNumber, start: RowStart? = nil, columnCount: Int
    ) {
        precondition((operation == .ended) == (start != nil), "only an ended version says where it was created")
        precondition(columnCount <= Int(UInt16.max), "more columns than any table has")
        reset()
        // 0x00 of the leaf hash and the format's name, "indelible/row/1" NUL, as two words in memory order.
        base.storeBytes(of: 0, as: UInt8.self)
        base.storeBytes(of: (0x696e_6465_6c69_626c as UInt64).bigEndian, toByteOffset: 1, as: UInt64.self)
        base.storeBytes(of: (0x652f_726f_772f_3100 as UInt64).bigEndian, toByteOffset: 9, as: UInt64.self)
        base.storeBytes(of: operation.rawValue, toByteOffset: 17, as: UInt8.self)
        base.storeBytes(of: table.rawValue.bigEndian, toByteOffset: 18, as: UInt64.self)
        schema.withUnsafeBytes { [base] schema in
            if let from = schema.baseAddress { (base + 26).copyMemory(from: from, byteCount: 32) }
        }
        base.storeBytes(of: transaction.rawValue.bigEndian, toByteOffset: 58, as: UInt64.self)
        base.storeBytes(of: sequence.rawValue.bigEndian, toByteOffset: 66, as: UInt64.self)
        count = 74
        if let start {
            base.storeBytes(of: start.transaction.rawValue.bigEndian, toByteOffset: 74, as: UInt64.self)
            base.storeBytes(of: start.sequence.rawValue.bigEndian, toByteOffset: 82, as: UInt64.self)
            count = 90
        }
        base.storeBytes(of: UInt32(truncatingIfNeeded: columnCount).bigEndian, toByteOffset: count, as: UInt32.self)
        count += 4
    }

    @inlinable
    public mutating func appendNull() {
        reserve(1)
        base.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
        finishValue(1)
    }

    @inlinable
    public mutating func append(integer: Int64) {
        reserve(9)
        base.storeBytes(of: 1, toByteOffset: count, as: UInt8.self)
        base.storeBytes(of: integer.bigEndian, toByteOffset: count + 1, as: Int64.self)
        finishValue(9)
    }

    /// -0.0 is written as +0.0, because SQLite does not keep the difference.
    @inlinable
    public mutating func append(real: Double) {
        reserve(9)
        base.storeBytes(of: 2, toByteOffset: count, as: UInt8.self)
        let bits = real == 0 ? 0 : real.bitPattern
        base.storeBytes(of: bits.bigEndian, toByteOffset: count + 1, as: UInt64.self)
        finishValue(9)
    }

    /// The UTF-8 bytes as stored.
    @inlinable
    public mutating func append(text: UnsafeRawBufferPointer) { append(text, type: 3) }

    @inlinable
    public mutating func append(blob: UnsafeRawBufferPointer) { append(blob, type: 4) }

    public mutating func append(_ value: SQLValue) {
        switch value {
        case .null: appendNull()
        case .integer(let value): append(integer: value)
        case .real(let value): append(real: value)
        case .text(let bytes): bytes.withUnsafeBytes { append(text: $0) }
        case .blob(let bytes): bytes.withUnsafeBytes { append(blob: $0) }
        }
    }

    /// Ends the leaf.
    @inlinable
    public mutating func finish() -> Digest32 {
        if stream != nil { return finishStream() }
        return SHA256Hashing.digest(UnsafeRawBufferPointer(start: base, count: count))
    }

    @inlinable
    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer, type: UInt8) {
        guard bytes.count <= Self.largeByteCount else { return appendLarge(bytes, type: type) }
        reserve(9 + bytes.count)
        base.storeBytes(of: type, toByteOffset: count, as: UInt8.self)
        base.storeBytes(of: UInt64(bytes.count).bigEndian, toByteOffset: count + 1, as: UInt64.self)
        if let from = bytes.baseAddress { (base + (count + 9)).copyMemory(from: from, byteCount: bytes.count) }
        finishValue(9 + bytes.count)
    }

    @inlinable
    mutating func reserve(_ more: Int) {
        if count + more > capacity { makeRoom(more) }
    }

    @inlinable
    @inline(__always)
    mutating func finishValue(_ byteCount: Int) {
        if collectsChecks {
            collect(ColumnCheck.of(UnsafeRawBufferPointer(start: base + count, count: byteCount)))
        }
        count += byteCount
    }

    @inlinable
    @inline(__always)
    mutating func collect(_ check: UInt16) {
        if checkCount == checkCapacity { makeRoomForChecks() }
        let offset = Self.recordHeaderByteCount + 2 * checkCount
        record.storeBytes(of: check.bigEndian, toByteOffset: offset, as: UInt16.self)
        checkCount += 1
    }

    @usableFromInline
    @inline(never)
    mutating func makeRoomForChecks() {
        let byteCount = Self.recordHeaderByteCount + 2 * checkCapacity
        let new = UnsafeMutableRawPointer.allocate(byteCount: byteCount + 2 * checkCapacity, alignment: 16)
        new.copyMemory(from: record, byteCount: byteCount)
        record.deallocate()
        record = new
        checkCapacity *= 2
    }

    /// The leaf `leaf`, which `finish` returned, with the checks of its values, as a chunk stores it
    /// (Documentation/spec/sql-leaf-chunk.md). Valid until the next `begin`.
    @inlinable
    @inline(__always)
    public mutating func storedLeaf(_ leaf: Digest32) -> UnsafeRawBufferPointer {
        leaf.withUnsafeBytes { [record] bytes in
            if let from = bytes.baseAddress { record.copyMemory(from: from, byteCount: Digest32.byteCount) }
        }
        record.storeBytes(
            of: UInt16(truncatingIfNeeded: checkCount).bigEndian, toByteOffset: Digest32.byteCount, as: UInt16.self)
        return UnsafeRawBufferPointer(start: record, count: Self.recordHeaderByteCount + 2 * checkCount)
    }

    @usableFromInline
    mutating func reset() {
        if stream != nil { stream = nil }
        checkCount = 0
    }

    /// A larger buffer, or the same one emptied into the stream.
    @usableFromInline
    @inline(never)
    mutating func makeRoom(_ more: Int) {
        if count > Self.largeByteCount / 2 { flush() }
        guard count + more > capacity else { return }
        let larger = max(capacity * 2, count + more)
        let new = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        new.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = new
        capacity = larger
    }

    private mutating func flush() {
        var hasher = stream ?? SHA256()
        hasher.update(bufferPointer: UnsafeRawBufferPointer(start: base, count: count))
        stream = hasher
        count = 0
    }

    @usableFromInline
    @inline(never)
    mutating func appendLarge(_ bytes: UnsafeRawBufferPointer, type: UInt8) {
        reserve(9)
        base.storeBytes(of: type, toByteOffset: count, as: UInt8.self)
        base.storeBytes(of: UInt64(bytes.count).bigEndian, toByteOffset: count + 1, as: UInt64.self)
        if collectsChecks {
            var check = ColumnCheck(byteCount: 9 + bytes.count)
            let head = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 8)
            defer { head.deallocate() }
            head.copyMemory(from: base + count, byteCount: 9)
            UnsafeMutableRawBufferPointer(start: head + 9, count: 7).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[..<7]))
            check.mix(all: UnsafeRawBufferPointer(start: head, count: 16))
            check.mix(all: UnsafeRawBufferPointer(rebasing: bytes[7...]))
            collect(check.value)
        }
        count += 9
        flush()
        stream?.update(bufferPointer: bytes)
    }

    @usableFromInline
    @inline(never)
    mutating func finishStream() -> Digest32 {
        flush()
        let hasher = stream ?? SHA256()
        stream = nil
        return Digest32(finishing: hasher)
    }
}
