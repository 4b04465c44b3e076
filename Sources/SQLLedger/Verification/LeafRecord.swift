import LedgerProofs

/// A leaf, or the root of a complete subtree of neighbouring leaves, of one transaction: 48 bytes.
struct LeafRecord {
    var transaction: UInt64
    /// The first leaf's sequence number in the upper 56 bits, whether the stored leaves equal these in the next one, the
    /// subtree's level in the lower 7.
    var position: UInt64
    var hash: Digest32

    init(transaction: UInt64, sequence: UInt64, level: UInt64 = 0, hash: Digest32) {
        self.transaction = transaction
        self.position = sequence << 8 | level
        self.hash = hash
    }

    var sequence: UInt64 { position >> 8 }
    var level: UInt64 { position & 0x7F }

    /// Whether the stored chunk was compared while rows were read: it consists of exactly the leaves of one run from the
    /// chunk's first leaf on, whose pieces have this set.
    var isStored: Bool { position & Self.stored != 0 }

    mutating func setStored() { position |= Self.stored }

    private static let stored: UInt64 = 0x80

    @inline(__always)
    static func precedes(_ a: LeafRecord, _ b: LeafRecord) -> Bool {
        a.transaction != b.transaction ? a.transaction < b.transaction : a.position & ~stored < b.position & ~stored
    }
}
