/// The flags byte of an entry header (CCF ledger format 2.1). It is part of the write set digest.
public struct EntryFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The chunk ends with this entry.
    public static let endChunkAfter = EntryFlags(rawValue: 0x01)
    /// A new chunk starts with this entry.
    public static let endChunkBefore = EntryFlags(rawValue: 0x02)

    /// Every bit with a meaning.
    public static let known: EntryFlags = [.endChunkAfter, .endChunkBefore]
}
