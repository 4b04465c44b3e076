import LedgerProofs
import SQLLedger

/// Laws about what evidence consists of.
extension EngineConformance {
    func checkIdentity(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let view = try view(database, history, readers: 3)
        list.expect(!view.evidence.source.isEmpty, "the evidence does not say what is read")
        for digest in history.digests { list.expectEqual(digest.ledger, view.ledger, "ledger of a digest") }
        for reader in view.readers { list.expectEqual(try reader.identity(), view.identity, "identity of a reader") }
        list.expectEqual(view.identity.format, EvidenceIdentity.knownFormat, "format")
        list.expectEqual(view.identity.databaseName, history.digests[0].databaseName, "name of the database")
        try view.evidence.finish()
    }

    func checkBlocks(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let view = try view(database, history)
        list.expectEqual(view.blocks.map(\.id.rawValue), [0, 1, 2], "block ids")
        var next = TransactionNumber(1)
        var previous: Block?
        for (stored, digest) in zip(view.blocks, history.digests) {
            guard let block = stored.block(of: view.ledger) else {
                list.expect(false, "block \(stored.id) has unreadable fields: \(stored.unreadable)")
                continue
            }
            list.expectEqual(block.hash, digest.hash, "hash of block \(block.id)")
            list.expectEqual(block.previous, previous?.hash, "previous hash of block \(block.id)")
            list.expectEqual(block.firstTransaction, next, "first transaction of block \(block.id)")
            list.expect(block.closeTime >= previous?.closeTime ?? block.closeTime, "close times decrease")
            guard let last = block.transactions?.upperBound else { continue }
            let time = view.entries.first { $0.id == last }?.commitTime
            list.expectEqual(time, digest.lastTransactionCommitTime, "last commit time of block \(block.id)")
            list.expect(block.closeTime >= time ?? block.closeTime, "block \(block.id) was closed before it ended")
            (next, previous) = (last.next, block)
        }
        try view.evidence.finish()
    }

    func checkTransactions(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let began = CommitTime.now()
        let view = try view(database, history)
        list.expectEqual(view.transactions.map(\.id), Array(1...Int64(view.transactions.count)), "transaction ids")
        list.expectEqual(view.entries.count, view.transactions.count, "entries that can be decoded")
        for (a, b) in zip(view.entries, view.entries.dropFirst()) {
            list.expect(a.commitTime <= b.commitTime, "the commit time of transaction \(b.id) is before \(a.id)'s")
        }
        list.expect(view.entries.allSatisfy { $0.commitTime <= began }, "commit times in the future")
        for stored in view.transactions {
            let id = UInt64(bitPattern: stored.id)
            let block = view.blocks.last { $0.firstTransaction?.rawValue ?? .max <= id }
            let end = block.flatMap { block in block.size.map { (block.firstTransaction?.rawValue ?? 0) + $0 } } ?? 1
            if let block, id < end {
                list.expectEqual(stored.block, Int64(block.id.rawValue), "block of transaction \(id)")
                list.expectEqual(
                    stored.ordinal, Int64(id - (block.firstTransaction?.rawValue ?? 0)), "ordinal of transaction \(id)")
            } else {
                list.expectEqual(stored.block, Int64(view.blocks.count), "open block of transaction \(id)")
                list.expectEqual(stored.ordinal, Int64(id - end), "ordinal of transaction \(id)")
            }
        }
        list.expectEqual(
            view.changes.map(\.principal), history.model.transactions.map(\.principal), "principals")
        for (entry, expected) in zip(view.changes, history.model.transactions) {
            var found: [String: UInt64] = [:]
            for (name, table) in view.tables { found[name] = entry.tableHashes[table.id]?.leafCount }
            list.expectEqual(found, expected.leafCounts, "row operations of transaction \(entry.id)")
            list.expect(!entry.login.isEmpty, "transaction \(entry.id) says nobody was logged in")
        }
        try view.evidence.finish()
    }

    func checkSchemaEvents(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let view = try view(database, history)
        list.expect(view.history.unreadable.isEmpty, "events cannot be read: \(view.history.unreadable.map(\.reason))")
        let events = try EvidenceView.all(view.reader.schemaEvents())
        let places = events.map { RowStart(transaction: $0.transaction, sequence: $0.sequence) }
        list.expectEqual(places, places.sorted(), "places of events")
        // Every event is a leaf of table 0, and the other way round.
        var counts: [TransactionNumber: UInt64] = [:]
        for event in events {
            list.expectEqual(event.sequence.rawValue, counts[event.transaction, default: 0], "place of an event")
            counts[event.transaction, default: 0] += 1
        }
        for entry in view.entries {
            list.expectEqual(
                entry.tableHashes[.schemaEvents]?.leafCount, counts[entry.id], "events of transaction \(entry.id)")
        }
        for (name, table) in history.model.tables {
            guard let found = view.tables[name], let newest = view.history.newest(found.id) else {
                list.expect(false, "no event describes \(name)")
                continue
            }
            list.expect(!found.isDropped, "\(name) is dropped")
            list.expectEqual(newest.storedColumns.map(\.name), table.columns.map(\.name), "columns of \(name)")
            list.expectEqual(newest.description.kind, table.kind, "kind of \(name)")
        }
        let types = (view.tables["account"].flatMap { view.history.versions[$0.id] } ?? []).map(\.type)
        list.expectEqual(
            types.filter { $0 != .objects }, [.create, .addColumn, .renameColumn], "events of account")
        list.expect(
            view.history.tables.contains { $0.name == HonestHistory.gone.name && $0.isDropped },
            "no event says that "
                + "\(HonestHistory.gone.name) was dropped")
        try view.evidence.finish()
    }

    func checkStreams(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let view = try view(database, history, readers: 2)
        for reader in view.readers.reversed() {
            for first in 0...view.transactions.count + 1 {
                let rest = try EvidenceView.all(reader.transactions(from: TransactionNumber(UInt64(first) + 1)))
                list.expectEqual(
                    rest.map(\.id), view.transactions.dropFirst(first).map(\.id), "transactions from \(first + 1)")
            }
            for first in 0...view.blocks.count + 1 {
                let rest = try EvidenceView.all(reader.blocks(from: BlockID(UInt64(first))))
                list.expectEqual(rest, Array(view.blocks.dropFirst(first)), "blocks from \(first)")
            }
            // Streams that were left in the middle, and streams beside each other.
            let (abandoned, events) = (try reader.transactions(from: TransactionNumber(2)), try reader.schemaEvents())
            _ = try abandoned()
            _ = try events()
            let (one, other) = (
                try reader.transactions(from: TransactionNumber(1)), try reader.blocks(from: BlockID(0))
            )
            var (transactions, blocks): ([StoredTransaction], [StoredBlock]) = ([], [])
            for _ in view.transactions {
                if let transaction = try one() { transactions.append(transaction) }
                if blocks.count < view.blocks.count, let block = try other() { blocks.append(block) }
            }
            list.expectEqual(transactions, view.transactions, "transactions beside blocks")
            list.expectEqual(blocks, view.blocks, "blocks beside transactions")
            list.expectEqual(try abandoned()?.id, 3, "a stream after others")
        }
        try view.evidence.finish()
    }

    func checkStoredHashes(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let view = try view(database, history)
        for entry in view.entries {
            for table in entry.tableHashes.tables {
                do {
                    let leaves = try view.leaves(table.leafCount) {
                        try view.reader.leafChunk(entry.id, table.table, chunk: $0)
                    }
                    list.expectEqual(
                        MerkleFrontier.root(of: leaves.map(\.hash), rule: .prefixed), table.root,
                        "root of the chunks of transaction \(entry.id), table \(table.table)")
                } catch {
                    list.expect(false, "leaves of transaction \(entry.id), table \(table.table): \(error)")
                }
                if let stored = try view.reader.rootChunk(entry.id, table.table, chunk: 0) {
                    let leaves = try LeafChunk(decoding: stored).leaves
                    for (number, leaf) in leaves.enumerated() {
                        let chunk = try view.reader.leafChunk(entry.id, table.table, chunk: UInt64(number))
                        list.expectEqual(
                            try chunk.map { try LeafChunk(decoding: $0).root }, leaf.hash,
                            "root of chunk \(number) of transaction \(entry.id), table \(table.table)")
                    }
                }
                let beyond = (table.leafCount + 127) / 128
                list.expect(
                    try view.reader.leafChunk(entry.id, table.table, chunk: beyond) == nil,
                    "there is a chunk after the last one of transaction \(entry.id)")
            }
        }
        var nodes: [Digest32] = []
        for block in view.blocks.compactMap({ $0.block(of: view.ledger) }) {
            nodes.append(MerkleRule.prefixedLeaf(block.hash))
            guard let range = block.transactions else { continue }
            do {
                let leaves = try view.leaves(block.size) { try view.reader.transactionChunk(block.id, chunk: $0) }
                let entries = view.entries.filter { range.contains($0.id) }
                list.expectEqual(leaves.map(\.hash), entries.map(\.leaf), "stored leaves of block \(block.id)")
                list.expectEqual(
                    leaves.map(\.columnChecks), entries.map(\.columnChecks), "stored checks of block \(block.id)")
            } catch {
                list.expect(false, "leaves of block \(block.id): \(error)")
            }
        }
        for (position, node) in nodes.enumerated() {
            let found = try view.reader.blockNode(level: 0, position: UInt64(position))
            list.expectEqual(found, node, "node \(position) of level 0")
        }
        let parent = try view.reader.blockNode(level: 1, position: 0)
        list.expectEqual(parent, MerkleFrontier.root(of: nodes.prefix(2), rule: .prefixed), "node 0 of level 1")
        list.expect(
            try view.reader.blockNode(level: 1, position: 1) == nil, "there is a node whose blocks are not closed")
        try view.evidence.finish()
    }
}
