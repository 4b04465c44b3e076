import LedgerProofs
import Testing

@testable import SQLLedger

/// Documentation/spec/sql-leaf-chunk.md; Vectors/sql/chunks.json.
@Suite struct LeafChunkTests {
    struct Chunked: Decodable {
        var count: Int
        var root: String
        var chunkSha256: [String]
        var chunkRoots: [String]
        var rootChunkSha256: [String]
    }

    struct Refused: Decodable {
        var about: String
        var code: String
        var chunk: String
    }

    struct InEntry: Decodable {
        /// Table, number, encoding.
        struct Chunk: Decodable {
            var table: UInt64
            var number: UInt64
            var bytes: String

            init(from decoder: any Decoder) throws {
                var values = try decoder.unkeyedContainer()
                table = try values.decode(UInt64.self)
                number = try values.decode(UInt64.self)
                bytes = try values.decode(String.self)
            }
        }

        var about: String?
        var code: String?
        var tableHashes: String
        var leaves: String
        var chunks: [Chunk]?
    }

    struct File: Decodable {
        var firstChunkOf5: String?
        var inEntry: [InEntry]
        var refusedInEntry: [InEntry]
        var chunked: [Chunked]
        var refused: [Refused]
    }

    static func checks(_ index: Int) -> [UInt16] {
        let encoded = [1] + withUnsafeBytes(of: Int64(index).bigEndian) { Array($0) }
        let all = [encoded.withUnsafeBytes { ColumnCheck.of($0) }, UInt16(index), 0xFFFF]
        return Array(all.prefix(index % 4))
    }

    @Test func vectors() throws {
        let leaves = ReferenceTree.leaves(16_511)
        for vector in try VectorFile.decode(File.self, "chunks.json").chunked {
            var table = TableLeaves()
            var chunks: [[UInt8]] = []
            var rootChunks: [[UInt8]] = []
            for index in 0..<vector.count {
                #expect(table.chunkIndex == UInt64(index / 128))
                guard let chunk = table.append(leaves[index], columnChecks: Self.checks(index)) else { continue }
                chunks.append(chunk)
                guard let roots = table.takeRootChunk() else { continue }
                #expect(roots.number == UInt64(rootChunks.count))
                rootChunks.append(roots.bytes)
            }
            if !table.partialChunk.isEmpty { chunks.append(table.partialChunk) }
            #expect(table.root?.hex == vector.root)
            #expect(table.leafCount == UInt64(vector.count))
            #expect(table.tableHash(of: TableID(1))?.leafCount == UInt64(vector.count))
            #expect(chunks.map { SHA256Hashing.digest($0).hex } == vector.chunkSha256)
            #expect(rootChunks.map { SHA256Hashing.digest($0).hex } == vector.rootChunkSha256)
            let decoded = try chunks.map { try LeafChunk(decoding: $0) }
            #expect(decoded.map(\.root.hex) == vector.chunkRoots)
            #expect(decoded.map { $0.encoded() } == chunks)
            #expect(decoded.flatMap { $0.leaves.map(\.hash) } == Array(leaves.prefix(vector.count)))
        }
    }

    @Test func refused() throws {
        for vector in try VectorFile.decode(File.self, "chunks.json").refused {
            let bytes = try #require(Hex.decode(vector.chunk))
            let code = errorCode { () throws(ProofError) in _ = try LeafChunk(decoding: bytes) }
            #expect(code == vector.code, "\(vector.about)")
        }
        #expect(LeafChunk(leaves: []) == nil)
        let leaf = LeafChunk.Leaf(hash: .zero, columnChecks: [])
        #expect(LeafChunk(leaves: Array(repeating: leaf, count: 128)) != nil)
        #expect(LeafChunk(leaves: Array(repeating: leaf, count: 129)) == nil)
    }

    @Test func lastChunksInEntries() throws {
        let file = try VectorFile.decode(File.self, "chunks.json")
        for vector in file.inEntry {
            let hashes = try TableHashes(decoding: try #require(Hex.decode(vector.tableHashes)))
            let bytes = try #require(Hex.decode(vector.leaves))
            let chunks = try #require(vector.chunks)
            let leaves = try EntryLeaves(decoding: bytes, of: hashes)
            for hash in hashes.tables {
                let expected = chunks.first { $0.table == hash.table.rawValue }
                #expect(EntryLeaves.chunkNumber(of: hash) == expected?.number)
                #expect(leaves[hash.table].map { Hex.encode($0.encoded()) } == expected?.bytes)
            }
            #expect(leaves[TableID(99)] == nil)
            let parts = try chunks.map { try #require(Hex.decode($0.bytes)) }
            #expect(EntryLeaves.encoded(parts) == bytes)
        }
        for vector in file.refusedInEntry {
            let hashes = try TableHashes(decoding: try #require(Hex.decode(vector.tableHashes)))
            let bytes = try #require(Hex.decode(vector.leaves))
            let code = errorCode { () throws(ProofError) in _ = try EntryLeaves(decoding: bytes, of: hashes) }
            #expect(code == vector.code, "\(vector.about ?? "")")
        }
        #expect(EntryLeaves.encoded([]) == nil)
        let half = [UInt8](repeating: 0, count: EntryLeaves.maximumByteCount / 2)
        #expect(EntryLeaves.encoded([half, half]) != nil)
        #expect(EntryLeaves.encoded([half, half, [0]]) == nil)
    }

    /// A change of any one byte shows in the check, wherever it is; 16 bits let one in 65,536 through.
    @Test func checksSeeEveryByte() {
        var missed = 0
        for count in 1...100 {
            let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let check = value.withUnsafeBytes { ColumnCheck.of($0) }
            for index in 0..<count {
                var changed = value
                changed[index] ^= 1
                if changed.withUnsafeBytes({ ColumnCheck.of($0) }) == check { missed += 1 }
            }
        }
        #expect(missed <= 2)
    }

    @Test func keys() {
        #expect(LeafChunk.rootsKey(of: TableID(0)) == -2)
        #expect(LeafChunk.rootsKey(of: TableID(7)) == -9)
    }

    @Test func noLeaves() {
        #expect(TableLeaves().root == nil)
        #expect(TableLeaves().tableHash(of: TableID(1)) == nil)
        #expect(TableLeaves().partialChunk.isEmpty)
    }

    /// A copy is a savepoint, and going back within a chunk gives the state of then.
    @Test func goingBack() throws {
        let leaves = ReferenceTree.leaves(300)
        var table = TableLeaves()
        var copies: [TableLeaves] = [table]
        for index in 0..<300 {
            _ = table.append(leaves[index], columnChecks: Self.checks(index))
            copies.append(table)
        }
        for target in 0...300 {
            for start in [target, target + 1, target + 50, 127, 128, 200, 300] where start >= target && start <= 300 {
                var table = copies[start]
                let isInChunk = target >= start / 128 * 128
                let isTruncated = table.truncate(to: UInt64(target))
                #expect(isTruncated == isInChunk)
                let expected = copies[isInChunk ? target : start]
                #expect(table.leafCount == expected.leafCount)
                #expect(table.partialChunk == expected.partialChunk)
                #expect(table.root == expected.root)
            }
        }
        let isBeyond = table.truncate(to: 301)
        #expect(!isBeyond)
    }
}
