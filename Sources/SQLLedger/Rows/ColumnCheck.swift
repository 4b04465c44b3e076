/// The 16-bit check of one encoded value, stored beside leaf hashes so that a changed row can be narrowed down to its
/// columns. Not a proof: an attacker can keep it.
///
/// Documentation/spec/sql-leaf-chunk.md, "Column checks"
public struct ColumnCheck: Sendable {
    @usableFromInline var state: UInt64

    @inlinable
    public init(byteCount: Int) {
        state = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: byteCount)
    }

    /// Mixes in eight bytes, read as a little-endian number.
    @inlinable
    public mutating func mix(_ word: UInt64) {
        state = (state ^ word) &* 0xFF51_AFD7_ED55_8CCD
        state ^= state >> 32
    }

    /// The check of what was mixed in. The last step brings the upper bits of the last word into sight.
    @inlinable
    public var value: UInt16 { UInt16(truncatingIfNeeded: (state &* 0xFF51_AFD7_ED55_8CCD) >> 48) }

    /// The check of one whole encoded value, its type byte included.
    @inlinable
    public static func of(_ encoded: UnsafeRawBufferPointer) -> UInt16 {
        var check = ColumnCheck(byteCount: encoded.count)
        check.mix(all: encoded)
        return check.value
    }

    /// Mixes in all bytes; the last word is filled up with zeros.
    @inlinable
    mutating func mix(all bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset + 8 <= bytes.count {
            mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        guard offset < bytes.count else { return }
        var last: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.count {
            last |= UInt64(bytes[offset]) << shift
            shift += 8
            offset += 1
        }
        mix(last)
    }
}
