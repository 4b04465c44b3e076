import LedgerProofs
import Testing

@testable import SQLLedger

/// Documentation/spec/sql-block.md; Vectors/sql/blocks.json.
@Suite struct BlockTests {
    struct Vector: Decodable {
        var blockId: UInt64
        var transactions: [String]
        var transactionsRootHash: String
        var blockSize: UInt64
        var firstTransactionId: UInt64
        var previousBlockHash: String?
        var historyRootHash: String
        var closeTime: String
        var chunk: String
        var preimage: String
        var hash: String
    }

    struct Path: Decodable {
        var blockId: UInt64
        var digestBlock: UInt64
        var path: [String]
    }

    struct File: Decodable {
        var ledgerId: String
        var blocks: [Vector]
        var historyPaths: [Path]
    }

    @Test func vectors() throws {
        let file = try VectorFile.decode(File.self, "blocks.json")
        let ledger = try #require(LedgerID(hex: file.ledgerId))
        var tree = BlockTree()
        var nodes: [[UInt64]: Digest32] = [:]
        var previous: Block?
        for vector in file.blocks {
            var builder = try BlockBuilder(ledger: ledger, previous: previous, tree: tree)
            #expect(builder.close(at: .now()) == nil)
            for (index, leaf) in vector.transactions.enumerated() {
                try builder.append(
                    leaf: try #require(Digest32(hex: leaf)),
                    of: TransactionNumber(vector.firstTransactionId + UInt64(index)))
            }
            let time = try #require(CommitTime(vector.closeTime))
            let block = try #require(builder.close(at: time))
            #expect(block.id.rawValue == vector.blockId)
            #expect(block.transactionsRoot.hex == vector.transactionsRootHash)
            #expect(block.size == vector.blockSize)
            #expect(block.firstTransaction.rawValue == vector.firstTransactionId)
            #expect(block.previous?.hex == vector.previousBlockHash)
            #expect(block.historyRoot.hex == vector.historyRootHash)
            #expect(block.hash.hex == vector.hash)
            #expect(builder.transactionChunks.map { Hex.encode($0) } == [vector.chunk])
            #expect(SHA256Hashing.digest(try #require(Hex.decode(vector.preimage))).hex == vector.hash)
            #expect(
                block.transactions?.upperBound == TransactionNumber(block.firstTransaction.rawValue + block.size - 1))
            tree.append(blockHash: block.hash) { nodes[[UInt64($0), $1]] = $2 }
            #expect(BlockTree(blockCount: tree.blockCount) { nodes[[UInt64($0), $1]]! } == tree)
            previous = block
        }
        for vector in file.historyPaths {
            let path = try #require(
                BlockTree.path(of: BlockID(vector.blockId), inHistoryOf: BlockID(vector.digestBlock)) {
                    nodes[[UInt64($0), $1]]!
                })
            #expect(path.steps.map { ($0.isLeft ? "L" : "R") + $0.sibling.hex } == vector.path)
        }
        #expect(BlockTree.path(of: BlockID(3), inHistoryOf: BlockID(3)) { _, _ in .zero } == nil)
    }

    @Test func everythingIsHashed() {
        let base = Block(
            ledger: LedgerID.random(), id: BlockID(1), transactionsRoot: .zero, size: 2,
            firstTransaction: TransactionNumber(3), previous: SHA256Hashing.digest(utf8: "p"), historyRoot: .zero,
            closeTime: .now())
        var others = [base]
        func add(_ change: (inout Block) -> Void) {
            var other = base
            change(&other)
            others.append(other)
        }
        let digest = SHA256Hashing.digest(utf8: "x")
        add { $0.ledger = LedgerID.random() }
        add { $0.id = BlockID(2) }
        add { $0.transactionsRoot = digest }
        add { $0.size = 3 }
        add { $0.firstTransaction = TransactionNumber(4) }
        add { $0.previous = digest }
        add { $0.previous = nil }
        add { $0.historyRoot = digest }
        add { $0.closeTime = CommitTime(microseconds: $0.closeTime.microseconds + 1) ?? $0.closeTime }
        #expect(Set(others.map(\.hash)).count == others.count)
    }

    @Test func theBuilderRefuses() throws {
        let ledger = LedgerID.random()
        var builder = try BlockBuilder(ledger: ledger, previous: nil, tree: BlockTree())
        #expect(throws: ProofError(code: .outOfRange, reason: "")) {
            try builder.append(leaf: .zero, of: TransactionNumber(2))
        }
        try builder.append(leaf: .zero, of: TransactionNumber(1))
        for number in [1, 3] as [UInt64] {
            #expect(throws: ProofError(code: .outOfRange, reason: "")) {
                try builder.append(leaf: .zero, of: TransactionNumber(number))
            }
        }
        let entry = TransactionEntry(
            ledger: LedgerID.random(), id: TransactionNumber(2), commitTime: .now(), principal: "", login: "",
            application: "",
            tableHashes: try #require(TableHashes([TableHash(table: TableID(1), root: .zero, leafCount: 1)])))
        #expect(throws: ProofError(code: .outOfRange, reason: "")) { try builder.append(entry) }
        let block = try #require(builder.close(at: .now()))
        // The tree must be that of the previous block.
        #expect(throws: ProofError(code: .outOfRange, reason: "")) {
            try BlockBuilder(ledger: ledger, previous: block, tree: BlockTree())
        }
        var tree = BlockTree()
        tree.append(blockHash: block.hash)
        #expect(throws: ProofError(code: .outOfRange, reason: "")) {
            try BlockBuilder(ledger: LedgerID.random(), previous: block, tree: tree)
        }
        #expect(try BlockBuilder(ledger: ledger, previous: block, tree: tree).nextTransaction == TransactionNumber(2))
    }

    @Test func aFullBlock() throws {
        var builder = try BlockBuilder(ledger: LedgerID.random(), previous: nil, tree: BlockTree())
        for number in 1...Block.maximumSize {
            #expect(!builder.isFull)
            try builder.append(leaf: .zero, of: TransactionNumber(number))
        }
        #expect(builder.isFull)
        let chunks = try builder.transactionChunks.map { try LeafChunk(decoding: $0) }
        #expect(chunks.map(\.leaves.count).reduce(0, +) == 100_000)
        #expect(chunks.count == 782)
        #expect(throws: ProofError(code: .outOfRange, reason: "")) {
            try builder.append(leaf: .zero, of: builder.nextTransaction)
        }
    }
}
