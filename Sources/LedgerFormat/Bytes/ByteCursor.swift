import LedgerProofs

/// Reads little-endian fields from borrowed bytes and knows where it is. The pointer must outlive the cursor.
struct ByteCursor {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    let end: Int
    /// Added to positions in errors: the place of `bytes` in the piece the caller knows.
    let base: Int

    init(_ bytes: UnsafeRawBufferPointer, base: Int = 0) {
        self.bytes = bytes
        self.position = 0
        self.end = bytes.count
        self.base = base
    }

    var remaining: Int { end - position }
    var errorOffset: Int { base + position }

    @inline(__always)
    mutating func skip(_ count: Int, _ what: StaticString) throws(LedgerFormatError) {
        guard count <= remaining else { throw truncated(count, what) }
        position += count
    }

    @inline(never)
    private func truncated(_ count: Int, _ what: StaticString) -> LedgerFormatError {
        LedgerFormatError(.truncated, at: errorOffset, "\(what) needs \(count) bytes, \(remaining) remain")
    }

    @inline(__always)
    mutating func u8(_ what: StaticString) throws(LedgerFormatError) -> UInt8 {
        let start = position
        try skip(1, what)
        return bytes[start]
    }

    @inline(__always)
    mutating func u32(_ what: StaticString) throws(LedgerFormatError) -> UInt32 {
        let start = position
        try skip(4, what)
        return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    }

    @inline(__always)
    mutating func u64(_ what: StaticString) throws(LedgerFormatError) -> UInt64 {
        let start = position
        try skip(8, what)
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
    }

    @inline(__always)
    mutating func digest(_ what: StaticString) throws(LedgerFormatError) -> Digest32 {
        let piece = try slice(Digest32.byteCount, what)
        guard let digest = Digest32(piece) else {
            throw LedgerFormatError(.truncated, at: errorOffset, "\(what) has 32 bytes")
        }
        return digest
    }

    @inline(__always)
    mutating func slice(_ count: Int, _ what: StaticString) throws(LedgerFormatError) -> UnsafeRawBufferPointer {
        let start = position
        try skip(count, what)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    /// A `u64` length and that many bytes.
    mutating func prefixed(_ what: StaticString) throws(LedgerFormatError) -> UnsafeRawBufferPointer {
        let at = errorOffset
        let length = try u64(what)
        guard length <= UInt64(remaining) else {
            throw LedgerFormatError(.count, at: at, "\(what) claims \(length) bytes, \(remaining) remain")
        }
        return try slice(Int(length), what)
    }

    /// A `u64` count of things that take at least `minimum` bytes each.
    mutating func count(_ what: StaticString, minimum: Int, limit: Int) throws(LedgerFormatError) -> Int {
        let at = errorOffset
        let count = try u64(what)
        guard count <= UInt64(remaining / minimum) else {
            throw LedgerFormatError(.count, at: at, "\(what) claims \(count), more than the bytes that remain can hold")
        }
        guard count <= UInt64(limit) else {
            throw LedgerFormatError(.count, at: at, "\(what) is \(count), above the limit of \(limit)")
        }
        return Int(count)
    }

    @inline(__always)
    mutating func zero64(_ what: StaticString) throws(LedgerFormatError) {
        let at = errorOffset
        let value = try u64(what)
        guard value == 0 else { throw LedgerFormatError(.notZero, at: at, "\(what) must be zero, found \(value)") }
    }

    func requireEnd(_ what: StaticString) throws(LedgerFormatError) {
        guard remaining == 0 else {
            throw LedgerFormatError(.trailingBytes, at: errorOffset, "\(remaining) bytes after the end of \(what)")
        }
    }
}
