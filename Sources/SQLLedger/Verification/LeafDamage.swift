/// The stored leaves of a transaction and table do not give the root.
package struct LeafDamage: Sendable {
    package var transaction: TransactionNumber
    package var table: TableID
    /// In the entry, not in chunks of their own.
    package var isInEntry: Bool
    package var isMissing: Bool
}

/// Damages of stored leaves, the first ones; the others are counted.
package struct LeafDamages: Sendable {
    package private(set) var first: [LeafDamage] = []
    package private(set) var more: UInt64 = 0

    private static let limit = 10_000

    mutating func add(_ damage: LeafDamage) {
        if first.count < Self.limit { first.append(damage) } else { more += 1 }
    }

    mutating func merge(_ other: LeafDamages) {
        for damage in other.first { add(damage) }
        more += other.more
    }
}
