/// The header word and the positions table of a chunk (CCF ledger format 1.2).
public enum ChunkLayout {
    /// Bytes before the first entry.
    public static let headerByteCount = 8
    /// The table holds 32-bit offsets, so no chunk may reach 4 GiB.
    public static let maximumByteCount: UInt64 = 1 << 32
    /// Bytes of one table row.
    public static let positionByteCount = 4

    /// The header word: where the positions table starts, 0 while the chunk is open.
    public static func header(tableOffset: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: tableOffset)
        return bytes
    }

    /// The table: the file offset of each entry's first byte.
    public static func positionsTable(_ positions: [UInt32]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(positions.count * positionByteCount)
        for position in positions { bytes.append(littleEndian: position) }
        return bytes
    }

    /// Reads the header word of a file of `fileByteCount` bytes. Returns `nil` for an open chunk. Throws
    /// `positions` for an offset inside the header or beyond the end, or a table that is not whole rows.
    public static func tableOffset(
        header: [UInt8], fileByteCount: UInt64
    ) throws(LedgerFormatError) -> UInt64? {
        guard header.count >= headerByteCount else {
            throw LedgerFormatError(.truncated, at: header.count, "a chunk starts with a header of 8 bytes")
        }
        var offset: UInt64 = 0
        for i in (0..<8).reversed() { offset = offset << 8 | UInt64(header[i]) }
        if offset == 0 { return nil }
        guard offset >= UInt64(headerByteCount), offset <= fileByteCount, offset < maximumByteCount else {
            throw LedgerFormatError(
                .positions, at: 0, "the positions table at \(offset) is outside the file of \(fileByteCount) bytes")
        }
        guard (fileByteCount - offset).isMultiple(of: UInt64(positionByteCount)) else {
            throw LedgerFormatError(.positions, at: Int(offset), "the positions table is not a whole number of rows")
        }
        return offset
    }

    /// Reads a table. Throws `positions` unless the bytes are whole rows, start at 8 and ascend.
    public static func parsePositionsTable(_ bytes: [UInt8]) throws(LedgerFormatError) -> [UInt32] {
        guard bytes.count.isMultiple(of: positionByteCount) else {
            throw LedgerFormatError(.positions, at: 0, "the positions table is not a whole number of rows")
        }
        var positions: [UInt32] = []
        positions.reserveCapacity(bytes.count / positionByteCount)
        for i in stride(from: 0, to: bytes.count, by: positionByteCount) {
            var value: UInt32 = 0
            for j in (0..<positionByteCount).reversed() { value = value << 8 | UInt32(bytes[i + j]) }
            if let last = positions.last {
                guard value > last else {
                    throw LedgerFormatError(.positions, at: i, "positions must ascend")
                }
            } else if value != UInt32(headerByteCount) {
                throw LedgerFormatError(.positions, at: i, "the first position must be 8, found \(value)")
            }
            positions.append(value)
        }
        return positions
    }
}
