import LedgerProofs

/// A block with some of its stored fields replaced by what they must have been: if its hash is the one that later
/// blocks or digests committed to, the replaced fields are the altered ones.
struct BlockVariant {
    var block: Block
    var hash: Digest32
    /// The replaced fields.
    var fields: [String]

    /// What a field must have been, as far as it can be derived from everything else.
    struct Derived {
        var root: Digest32?
        var size: UInt64
        var first: UInt64
        var previous: Digest32?
        var historyRoot: Digest32
    }

    /// The block as stored, then every combination of derived fields that differ from stored ones, fewest first.
    static func all(_ stored: StoredBlock, _ ledger: LedgerID, _ derived: Derived) -> [BlockVariant] {
        guard let closeTime = stored.closeTime else { return [] }
        let previous = stored.id.rawValue == 0 ? nil : derived.previous
        var changes: [(name: String, apply: (inout Block) -> Void, isNeeded: Bool)] = []
        func change(_ name: String, _ differs: Bool, _ isNeeded: Bool, _ apply: @escaping (inout Block) -> Void) {
            if differs || isNeeded { changes.append((name, apply, isNeeded)) }
        }
        change("previous_block_hash", stored.previous != previous, false) { $0.previous = previous }
        change("history_root_hash", stored.historyRoot != derived.historyRoot, stored.historyRoot == nil) {
            $0.historyRoot = derived.historyRoot
        }
        if let root = derived.root {
            change("transactions_root_hash", stored.transactionsRoot != root, stored.transactionsRoot == nil) {
                $0.transactionsRoot = root
            }
        }
        change("block_size", stored.size != derived.size, stored.size == nil) { $0.size = derived.size }
        change(
            "first_transaction_id", stored.firstTransaction?.rawValue != derived.first, stored.firstTransaction == nil
        ) {
            $0.firstTransaction = TransactionNumber(derived.first)
        }
        let base = Block(
            ledger: ledger, id: stored.id, transactionsRoot: stored.transactionsRoot ?? .zero, size: stored.size ?? 0,
            firstTransaction: stored.firstTransaction ?? TransactionNumber(0), previous: stored.previous,
            historyRoot: stored.historyRoot ?? .zero, closeTime: closeTime)
        var variants: [BlockVariant] = []
        for mask in 0..<(1 << changes.count) {
            var block = base
            var fields: [String] = []
            var isComplete = true
            for (index, change) in changes.enumerated() {
                if mask >> index & 1 == 1 {
                    change.apply(&block)
                    fields.append(change.name)
                } else if change.isNeeded {
                    isComplete = false
                }
            }
            if isComplete { variants.append(BlockVariant(block: block, hash: block.hash, fields: fields)) }
        }
        return variants.sorted { $0.fields.count < $1.fields.count }
    }
}
