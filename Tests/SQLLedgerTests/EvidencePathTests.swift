import LedgerProofs
import Testing

@testable import SQLLedger

/// Paths from stored chunks.
@Suite struct EvidencePathTests {
    /// What an engine stores of one transaction and table.
    struct Stored {
        var chunks: [LeafChunk] = []
        var rootChunks: [LeafChunk] = []
        var table: TableHash

        init(_ leaves: [Digest32]) throws {
            var accumulator = TableLeaves()
            for leaf in leaves {
                guard let bytes = accumulator.append(leaf, columnChecks: [1]) else { continue }
                chunks.append(try LeafChunk(decoding: bytes))
                if let roots = accumulator.takeRootChunk() { rootChunks.append(try LeafChunk(decoding: roots.bytes)) }
            }
            if !accumulator.partialChunk.isEmpty {
                chunks.append(try LeafChunk(decoding: accumulator.partialChunk))
            }
            table = try #require(accumulator.tableHash(of: TableID(1)))
        }
    }

    static let all = ReferenceTree.leaves(33_000)

    @Test(arguments: [1, 2, 3, 127, 128, 129, 256, 257, 1000, 16_385, 33_000])
    func rowPaths(count: Int) throws {
        let stored = try Stored(Array(Self.all.prefix(count)))
        #expect(stored.rootChunks.count == count / 16_384)
        for index in Set([0, 1, count / 2, count - 2, count - 1, 127, 128, 16_383, 16_384]) {
            guard (0..<count).contains(index) else { continue }
            for hasRootChunks in index == 1 ? [true, false] : [true] {
                var reads = 0
                let path = try EvidencePaths.rowPath(
                    of: Self.all[index], at: LeafNumber(UInt64(index)), in: stored.table
                ) { number in
                    reads += 1
                    return stored.chunks[Int(number)]
                } rootChunk: { number in
                    hasRootChunks && number < stored.rootChunks.count ? stored.rootChunks[Int(number)] : nil
                }
                let root = path.root(
                    of: Self.all[index], at: LeafIndex(UInt64(index)), in: TreeSize(UInt64(count)), rule: .prefixed)
                #expect(root == stored.table.root)
                // The leaf's chunk, the chunks after the last root chunk, and no chunk twice.
                if hasRootChunks { #expect(reads <= 1 + stored.chunks.count % 128) }
                #expect(reads <= stored.chunks.count)
            }
        }
    }

    @Test func damagedChunks() throws {
        let stored = try Stored(Array(Self.all.prefix(300)))
        func path(_ index: UInt64, _ chunks: [LeafChunk]) throws -> InclusionProof {
            try EvidencePaths.rowPath(of: Self.all[Int(index)], at: LeafNumber(index), in: stored.table) {
                chunks[Int($0)]
            } rootChunk: { _ in
                nil
            }
        }
        _ = try path(5, stored.chunks)
        var chunks = stored.chunks
        chunks[1] = chunks[0]
        #expect(throws: ProofError(code: .invalidMember, reason: "")) { try path(5, chunks) }
        chunks = stored.chunks
        chunks[0] = try #require(LeafChunk(leaves: Array(chunks[0].leaves.prefix(3))))
        #expect(throws: ProofError(code: .invalidMember, reason: "")) { try path(5, chunks) }
        // Another leaf than the stored one, and a place that is not there.
        #expect(throws: ProofError(code: .invalidMember, reason: "")) {
            try EvidencePaths.rowPath(of: .zero, at: LeafNumber(5), in: stored.table) {
                stored.chunks[Int($0)]
            } rootChunk: { _ in
                nil
            }
        }
        #expect(throws: ProofError(code: .invalidMember, reason: "")) {
            try EvidencePaths.rowPath(of: .zero, at: LeafNumber(300), in: stored.table) {
                stored.chunks[Int($0)]
            } rootChunk: { _ in
                nil
            }
        }
    }

    @Test func transactionAndBlockPaths() throws {
        let ledger = LedgerID.random()
        let hashes = try #require(TableHashes([TableHash(table: TableID(1), root: .zero, leafCount: 1)]))
        let entries = (1...700).map {
            TransactionEntry(
                ledger: ledger, id: TransactionNumber($0), commitTime: .now(), principal: "p", login: "l",
                application: "a", tableHashes: hashes)
        }
        var tree = BlockTree()
        var nodes: [[UInt64]: Digest32] = [:]
        var blocks: [Block] = []
        var chunks: [[LeafChunk]] = []
        for range in [0..<1, 1..<301, 301..<302, 302..<430, 430..<700] {
            var builder = try BlockBuilder(ledger: ledger, previous: blocks.last, tree: tree)
            for entry in entries[range] { try builder.append(entry) }
            let block = try #require(builder.close(at: .now()))
            chunks.append(try builder.transactionChunks.map { try LeafChunk(decoding: $0) })
            tree.append(blockHash: block.hash) { nodes[[UInt64($0), $1]] = $2 }
            blocks.append(block)
        }
        for entry in entries {
            let block = try #require(blocks.first { $0.transactions?.contains(entry.id) == true })
            let own = chunks[Int(block.id.rawValue)]
            let path = try EvidencePaths.transactionPath(of: entry, in: block) { own[Int($0)] }
            let first = Int(block.firstTransaction.rawValue) - 1
            let leaves = entries[first..<first + Int(block.size)].map(\.leaf)
            #expect(try EvidencePaths.transactionPath(of: entry, in: block, leaves: leaves) == path)
            #expect(path.root(of: entry.leaf, rule: .prefixed) == block.transactionsRoot)
        }
        for digestBlock in blocks {
            for block in blocks where block.id <= digestBlock.id {
                let path = try EvidencePaths.blockPath(of: block, inHistoryOf: digestBlock) {
                    nodes[[UInt64($0), $1]]!
                }
                #expect(path.steps.isEmpty == (block.id == digestBlock.id || digestBlock.id.rawValue == 1))
            }
        }
        #expect(throws: ProofError(code: .invalidMember, reason: "")) {
            try EvidencePaths.transactionPath(of: entries[0], in: blocks[1], leaves: entries[1..<301].map(\.leaf))
        }
        #expect(throws: ProofError(code: .invalidMember, reason: "")) {
            try EvidencePaths.transactionPath(of: entries[5], in: blocks[1], leaves: entries[2..<302].map(\.leaf))
        }
        #expect(throws: ProofError(code: .invalidMember, reason: "")) {
            try EvidencePaths.blockPath(of: blocks[4], inHistoryOf: blocks[1]) { _, _ in .zero }
        }
        #expect(throws: ProofError(code: .invalidMember, reason: "")) {
            try EvidencePaths.blockPath(of: blocks[0], inHistoryOf: blocks[4]) { _, _ in .zero }
        }
    }
}
