/// The first eight bytes of an entry: version, flags and the size of what follows.
public struct EntryHeader: Hashable, Sendable {
    public static let byteCount = 8
    public static let currentVersion: UInt8 = 1
    /// GCM tag (16), IV (12) and public length (8): the smallest size of an entry.
    public static let minimumSize: UInt64 = 36

    public var version: UInt8
    public var flags: EntryFlags
    /// Bytes after the header: `36...` up to the limit, 48 bits on disk.
    public var size: UInt64

    public init(flags: EntryFlags, size: UInt64) {
        self.version = EntryHeader.currentVersion
        self.flags = flags
        self.size = size
    }

    /// Reads the first eight bytes. Throws for a version other than 1, unknown flags and sizes out of range.
    public init(decoding bytes: [UInt8], limits: FormatLimits = .standard) throws(LedgerFormatError) {
        guard bytes.count >= EntryHeader.byteCount else {
            throw LedgerFormatError(.truncated, at: bytes.count, "an entry header has 8 bytes")
        }
        var word: UInt64 = 0
        for i in (0..<8).reversed() { word = word << 8 | UInt64(bytes[i]) }
        try self.init(word: word, limits: limits, at: 0)
    }

    init(word: UInt64, limits: FormatLimits, at offset: Int) throws(LedgerFormatError) {
        version = UInt8(truncatingIfNeeded: word)
        flags = EntryFlags(rawValue: UInt8(truncatingIfNeeded: word >> 8))
        size = word >> 16
        guard version == EntryHeader.currentVersion else {
            throw LedgerFormatError(.version, at: offset, "the version must be 1, found \(version)")
        }
        guard flags.isSubset(of: .known) else {
            throw LedgerFormatError(.flags, at: offset + 1, "unknown flag bits in \(flags.rawValue)")
        }
        guard size >= EntryHeader.minimumSize, size <= limits.entryByteCount else {
            throw LedgerFormatError(
                .size, at: offset + 2, "the size must be 36 to \(limits.entryByteCount), found \(size)")
        }
    }

    /// The header as it stands on disk, first byte lowest.
    var word: UInt64 { UInt64(version) | UInt64(flags.rawValue) << 8 | size << 16 }
}
