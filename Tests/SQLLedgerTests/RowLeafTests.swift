import LedgerProofs
import Testing

@testable import SQLLedger

/// Documentation/spec/sql-row.md; Vectors/sql/rows.json.
@Suite struct RowLeafTests {
    struct Value: Decodable {
        var type: String
        var value: String?
        var bits: String?
        var hex: String?

        var sqlValue: SQLValue {
            switch type {
            case "integer": .integer(Int64(value!)!)
            case "real": .real(Double(bitPattern: UInt64(bits!, radix: 16)!))
            case "text": .text(value.map { Array($0.utf8) } ?? Hex.decode(hex!)!)
            case "blob": .blob(Hex.decode(hex!)!)
            default: .null
            }
        }
    }

    struct Row: Decodable, CustomTestStringConvertible {
        var about: String
        var operation: UInt8
        var tableId: UInt64
        var schema: String
        var transactionId: UInt64
        var sequenceNumber: UInt64
        var start: [UInt64]?
        var values: [Value]
        var leaf: String
        var preimage: String?
        var checks: [UInt16]

        var testDescription: String { about }

        var rowLeaf: RowLeaf {
            RowLeaf(
                operation: RowOperation(rawValue: operation)!, table: TableID(tableId), schema: Digest32(hex: schema)!,
                transaction: TransactionNumber(transactionId), sequence: LeafNumber(sequenceNumber),
                start: start.map { RowStart(transaction: TransactionNumber($0[0]), sequence: LeafNumber($0[1])) },
                values: values.map(\.sqlValue))
        }
    }

    struct File: Decodable { var rows: [Row] }

    static let rows: [Row] = (try? VectorFile.decode(File.self, "rows.json").rows) ?? []

    @Test func allVectorsAreThere() { #expect(Self.rows.count >= 25) }

    @Test(arguments: rows)
    func vector(row: Row) throws {
        #expect(row.rowLeaf.hash.hex == row.leaf)
        if let preimage = row.preimage {
            #expect(MerkleRule.prefixedLeaf(try #require(Hex.decode(preimage))).hex == row.leaf)
        }
    }

    @Test func negativeZeroIsZero() throws {
        let zero = try #require(Self.rows.first { $0.about == "-0.0 is written as +0.0" })
        var leaf = zero.rowLeaf
        leaf.values = [.real(-0.0)]
        #expect(leaf.hash.hex == zero.leaf)
    }

    /// One encoder for all rows, with checks: nothing of a row is left for the next.
    @Test func oneEncoderForAllRows() {
        var encoder = RowLeafEncoder(collectsChecks: true)
        for row in Self.rows + Self.rows.reversed() {
            let leaf = row.rowLeaf
            encoder.begin(
                operation: leaf.operation, table: leaf.table, schema: leaf.schema, transaction: leaf.transaction,
                sequence: leaf.sequence, start: leaf.start, columnCount: leaf.values.count)
            for value in leaf.values { encoder.append(value) }
            #expect(encoder.finish().hex == row.leaf, "\(row.about)")
            #expect(encoder.columnChecks == row.checks, "\(row.about)")
        }
    }

    static let sizes: [[Int]] = [
        [0], [4096 - 87], [4096 - 86], [1 << 20], [1 << 20 + 1], [3 << 20], [1 << 20, 1 << 20, 1 << 20],
        [5 << 20, 1, 5 << 20], Array(repeating: 700_000, count: 5), Array(repeating: 4000, count: 600),
        [(1 << 20) + 7, (1 << 20) + 8, (1 << 20) + 9],
    ]

    /// Rows of any size give the leaf of the whole preimage, and the checks of the whole values.
    @Test(arguments: sizes)
    func largeRows(byteCounts: [Int]) {
        var encoder = RowLeafEncoder(collectsChecks: true)
        for round in 0..<2 {
            encoder.begin(
                operation: .created, table: TableID(3), schema: .zero, transaction: TransactionNumber(1),
                sequence: LeafNumber(2), columnCount: byteCounts.count)
            var preimage = Array("indelible/row/1\0".utf8) + [1]
            preimage += [0, 0, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0, count: 32)
            preimage += [0, 0, 0, 0, 0, 0, 0, 1] + [0, 0, 0, 0, 0, 0, 0, 2]
            preimage += withUnsafeBytes(of: UInt32(byteCounts.count).bigEndian) { Array($0) }
            var checks: [UInt16] = []
            for (index, count) in byteCounts.enumerated() {
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index &+ round) }
                let isText = index.isMultiple(of: 2)
                encoder.append(isText ? .text(bytes) : .blob(bytes))
                let encoded =
                    [isText ? 3 : 4] + withUnsafeBytes(of: UInt64(count).bigEndian) { Array($0) } + bytes
                checks.append(encoded.withUnsafeBytes { ColumnCheck.of($0) })
                preimage += encoded
            }
            #expect(encoder.finish() == MerkleRule.prefixedLeaf(preimage))
            #expect(encoder.columnChecks == checks)
        }
    }

    /// The stored form of a leaf is the chunk's, whatever the number of values, and says nothing of rows before it.
    @Test func storedLeaves() {
        var encoder = RowLeafEncoder(collectsChecks: true)
        var (one, other) = (TableLeaves(), TableLeaves())
        for count in [1, 63, 64, 65, 300, 2000, 0, 3] {
            encoder.begin(
                operation: .created, table: TableID(3), schema: .zero, transaction: TransactionNumber(1),
                sequence: LeafNumber(2), columnCount: count)
            for value in 0..<count { encoder.append(integer: Int64(value * count)) }
            let leaf = encoder.finish()
            let checks = (0..<count).map { value in
                ([1] + withUnsafeBytes(of: Int64(value * count).bigEndian) { Array($0) }).withUnsafeBytes {
                    ColumnCheck.of($0)
                }
            }
            let chunk = LeafChunk(leaves: [LeafChunk.Leaf(hash: leaf, columnChecks: checks)])
            #expect(Array(encoder.storedLeaf(leaf)) == chunk?.encoded(), "\(count) values")
            #expect(one.append(leaf, stored: encoder.storedLeaf(leaf)) == nil)
            #expect(other.append(leaf, columnChecks: checks) == nil)
            #expect(one.partialChunk == other.partialChunk)
            #expect(one.root == other.root)
        }
        // Whole chunks too.
        for _ in one.leafCount..<128 {
            let leaf = encoder.finish()
            let chunk = one.append(leaf, stored: encoder.storedLeaf(leaf))
            #expect(chunk == other.append(leaf, columnChecks: encoder.columnChecks))
            #expect((chunk != nil) == (one.leafCount == 128))
        }
        #expect(one.root == other.root)
    }

    /// Every part of the preimage matters.
    @Test func everythingIsHashed() {
        let base = RowLeaf(
            operation: .created, table: TableID(1), schema: .zero, transaction: TransactionNumber(1),
            sequence: LeafNumber(1), values: [.text("a"), .text("b")])
        var others = [base]
        func add(_ change: (inout RowLeaf) -> Void) {
            var other = base
            change(&other)
            others.append(other)
        }
        add { $0.table = TableID(2) }
        add { $0.schema = SHA256Hashing.digest(utf8: "") }
        add { $0.transaction = TransactionNumber(2) }
        add { $0.sequence = LeafNumber(2) }
        add { $0.values = [.text("b"), .text("a")] }
        add { $0.values = [.text("a")] }
        add { $0.values = [.text("ab"), .text("")] }
        add { $0.values = [.text(""), .text("ab")] }
        add { $0.values = [.blob(Array("a".utf8)), .text("b")] }
        add { $0.values = [.text("a"), .text("b"), .null] }
        for (transaction, sequence) in [(1, 1), (1, 0), (0, 1)] as [(UInt64, UInt64)] {
            add {
                $0.operation = .ended
                $0.start = RowStart(transaction: TransactionNumber(transaction), sequence: LeafNumber(sequence))
            }
        }
        #expect(Set(others.map(\.hash)).count == others.count)
    }

    @Test func anEndNeedsItsStart() async {
        await #expect(processExitsWith: .failure) {
            _ =
                RowLeaf(
                    operation: .ended, table: TableID(1), schema: .zero, transaction: TransactionNumber(1),
                    sequence: LeafNumber(1), values: []
                ).hash
        }
    }
}
