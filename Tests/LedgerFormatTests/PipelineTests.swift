import LedgerProofs
import Testing

@testable import LedgerFormat

/// Cutting the work into pieces, in whatever size and for however many threads, changes nothing in the report.
@Suite struct PipelineTests {
    /// Three chunks; every third transaction is a signature.
    static func ledger(_ count: Int = 42, _ fault: (inout TestLedger, _ seqno: Int) throws -> Bool = { _, _ in false })
        throws -> TestLedger
    {
        var ledger = try TestLedger(.small())
        for seqno in 3...count {
            if try fault(&ledger, seqno) { continue }
            if seqno % 3 == 0 { try ledger.sign() } else { try ledger.addRow() }
        }
        return ledger
    }

    static func write(_ ledger: TestLedger, to directory: TemporaryDirectory, change: Int? = nil, at byte: Int = 0)
        throws
    {
        var seqno = 1
        for range in [1...15, 16...30, 31...ledger.entries.count] {
            let isComplete = range.upperBound <= 30
            var bytes = ledger.chunk(range, isComplete: isComplete)
            var place = ChunkLayout.headerByteCount
            for entry in ledger.entries[range.lowerBound - 1...range.upperBound - 1] {
                if seqno == change { bytes[place + (byte < 0 ? entry.count + byte : byte)] ^= 0x01 }
                place += entry.count
                seqno += 1
            }
            let name = isComplete ? "ledger_\(range.lowerBound)-\(range.upperBound).committed" : "ledger_31"
            try directory.write(name, bytes)
        }
    }

    static func report(
        _ directory: TemporaryDirectory, helpers: Int, ahead: Int, unit: Int, window: Int = 4 << 20, limit: Int = 1000
    ) -> LedgerVerificationReport {
        var options = LedgerVerificationOptions()
        options.helpers = helpers
        options.windowsAhead = ahead
        options.unitByteCount = unit
        options.windowByteCount = window
        options.maximumFindings = limit
        return LedgerDirectoryVerifier(path: directory.path, options: options).verify()
    }

    /// One thread that does one thing after the other, against many at once.
    static func expectSameReports(
        _ directory: TemporaryDirectory, windows: [Int] = [4 << 20, 3000], limits: [Int] = [1000],
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> LedgerVerificationReport {
        let plain = report(directory, helpers: 0, ahead: 0, unit: .max)
        for window in windows {
            for limit in limits {
                let one = report(directory, helpers: 0, ahead: 0, unit: .max, window: window, limit: limit)
                for (helpers, ahead, unit) in [(3, 3, 1), (1, 1, 1500)] {
                    let many = report(
                        directory, helpers: helpers, ahead: ahead, unit: unit, window: window, limit: limit)
                    #expect(many == one, sourceLocation: sourceLocation)
                }
            }
        }
        return plain
    }

    @Test func goodLedger() throws {
        let directory = try TemporaryDirectory()
        try Self.write(Self.ledger(), to: directory)
        let report = Self.expectSameReports(directory, windows: [4 << 20, 5000, 1])
        #expect(report.outcome == .ok)
        #expect(report.verifiedSignatureTransactions == 15)
        #expect(report.verifiedTo?.seqno.rawValue == 42)
    }

    /// With one entry for each piece of work, every entry is the first and the last of a piece.
    @Test(arguments: [0, 1, 2, 44, -1]) func changedByte(_ byte: Int) throws {
        let ledger = try Self.ledger()
        let directory = try TemporaryDirectory()
        for seqno in 1...42 {
            try Self.write(ledger, to: directory, change: seqno, at: byte)
            let report = Self.expectSameReports(directory)
            // Nothing covers the newest signature but its own rows.
            if seqno < 42 { #expect(report.outcome == .failed, "\(seqno)") }
            if byte == 0, seqno < 42 {
                let first = report.findings.first
                #expect(first?.code == .entry && first?.seqno?.rawValue == UInt64(seqno))
            }
        }
    }

    /// A bad signature in one piece and a bad leaf in a later one: the signature cannot be told before the entries
    /// behind it are read, and yet everything is there and counted.
    @Test func badSignatureThenBadEntry() throws {
        let ledger = try Self.ledger { ledger, seqno in
            switch seqno {
            case 6: try ledger.sign { $0.raw = { key, root in try key.prehashed(SHA256Hashing.digest(root.bytes)) } }
            case 20: try ledger.addRow { $0[1] = EntryFlags.endChunkAfter.rawValue }
            case 27: try ledger.sign { $0.raw = { _, _ in [0x30, 0x00] } }
            case 33: try ledger.sign { $0.recordedRoot = .zero }
            default: return false
            }
            return true
        }
        let directory = try TemporaryDirectory()
        try Self.write(ledger, to: directory)
        let report = Self.expectSameReports(directory, limits: [1000, 0, 1, 2, 3, 4, 5])
        #expect(
            report.findings.map { "\($0.code) \($0.seqno?.rawValue ?? 0)" } == [
                "chunkFlag 20", "chunkFlag 20", "root 33", "rawSignature 6", "rawSignature 27",
            ])
        #expect(report.verifiedTo?.seqno.rawValue == 3)
        // Three bad ones, and 21, which follows the end of a chunk.
        #expect(report.verifiedSignatureTransactions == 11)
    }

    /// What is verified ends before the first finding, whatever the signatures behind it say.
    @Test func verifiedToEndsBeforeAFinding() throws {
        let ledger = try Self.ledger { ledger, seqno in
            guard seqno == 20 else { return false }
            try ledger.addRow { $0[1] = EntryFlags.endChunkAfter.rawValue }
            return true
        }
        let directory = try TemporaryDirectory()
        try Self.write(ledger, to: directory)
        let report = Self.expectSameReports(directory)
        #expect(report.findings.map(\.code) == [.chunkFlag, .chunkFlag])
        #expect(report.verifiedTo?.seqno.rawValue == 18)
        #expect(report.verifiedSignatureTransactions == 14)
    }

    /// Enough signatures for a place of their own: what they find stands before what later chunks hold.
    @Test func signaturesOfAChunkStandBeforeTheNext() throws {
        var ledger = try TestLedger(.small())
        for seqno in 3...80 {
            try ledger.sign {
                $0.hasTree = false
                $0.hasCOSE = false
                if seqno == 10 || seqno == 75 { $0.recordedRoot = .zero }
                if seqno == 11 || seqno == 76 { $0.raw = { _, _ in [0x30, 0x00] } }
            }
        }
        let directory = try TemporaryDirectory()
        try directory.write("ledger_1-70", ledger.chunk(1...70))
        try directory.write("ledger_71", ledger.chunk(71...80, isComplete: false))
        let report = Self.expectSameReports(directory, limits: [1000, 1, 2, 3])
        #expect(
            report.findings.map { "\($0.code) \($0.seqno?.rawValue ?? 0)" } == [
                "root 10", "rawSignature 11", "root 75", "rawSignature 76",
            ])
        #expect(report.verifiedTo?.seqno.rawValue == 9)
    }

    /// More signatures than are checked together, by two keys, with wrong ones at the edges of what is checked together,
    /// before and after the keys have signed enough for their multiples.
    @Test(arguments: [true, false]) func wrongSignaturesAmongMany(isSmall: Bool) throws {
        var ledger = try TestLedger(isSmall ? .small() : .standard())
        // Signature i stands in transaction i + 1.
        let wrongRaw: Set = [2, 33, 49, 63, 64, 65, 66, 100, 128, 129, 140, 150]
        let wrongCOSE: Set = [3, 17, 48, 64, 65, 66, 99, 128, 130, 150]
        for i in 2...150 {
            try ledger.sign {
                $0.hasTree = false
                if wrongRaw.contains(i) {
                    $0.raw = { key, root in try key.prehashed(i % 2 == 0 ? .zero : SHA256Hashing.digest(root.bytes)) }
                }
                if wrongCOSE.contains(i) {
                    if i % 5 == 0 {
                        $0.keyID = .other
                    } else if i % 3 == 0 {
                        $0.coseDER = true
                    } else {
                        $0.coseRoot = .zero
                    }
                }
            }
        }
        let directory = try TemporaryDirectory()
        try directory.write("ledger_1-70", ledger.chunk(1...70))
        try directory.write("ledger_71", ledger.chunk(71...151, isComplete: false))
        let report = Self.expectSameReports(directory, windows: [4 << 20])
        let expected = (2...150).flatMap { i in
            (wrongRaw.contains(i) ? ["rawSignature \(i + 1)"] : [])
                + (wrongCOSE.contains(i) ? ["coseSignature \(i + 1)"] : [])
        }
        #expect(report.findings.map { "\($0.code) \($0.seqno?.rawValue ?? 0)" } == expected)
        #expect(report.rawSignatures == 150 && report.coseSignatures == 150)
        #expect(report.verifiedSignatureTransactions == UInt64(150 - wrongRaw.union(wrongCOSE).count))
        #expect(report.verifiedTo?.seqno.rawValue == 2)
    }

    /// Ends inside an entry, at every place of the last three entries.
    @Test func tornEnds() throws {
        let ledger = try Self.ledger()
        let whole = ledger.chunk(31...42, isComplete: false)
        let directory = try TemporaryDirectory()
        try Self.write(ledger, to: directory)
        for cut in stride(from: 1, to: whole.count, by: 211) {
            try directory.write("ledger_31", Array(whole.dropLast(cut)))
            _ = Self.expectSameReports(directory, windows: [4 << 20, 2000])
        }
    }

    /// The tree of the leaves since the newest signature is compared without hashing; what differs is still found.
    @Test func treeTail() throws {
        let leaves = (0..<20).map { SHA256Hashing.digest([$0]) }
        for flushed in 0..<20 {
            var below = MerkleFrontier()
            for leaf in leaves[..<flushed] { below.append(leaf) }
            var tail = TreeTail()
            var rest = Array(leaves[flushed...])
            for leaf in rest { tail.append(leaf) }
            let tree = try #require(SerialisedTree(flushed: below, leaves: rest))
            #expect(!tail.isSame(as: tree), "nothing is known before the first signature")
            tail.restart(at: below)
            for leaf in rest { tail.append(leaf) }
            #expect(tail.isSame(as: tree))
            rest[rest.count / 2] = .zero
            #expect(!tail.isSame(as: try #require(SerialisedTree(flushed: below, leaves: rest))))
            rest = Array(leaves[flushed...])
            #expect(!tail.isSame(as: try #require(SerialisedTree(flushed: below, leaves: rest.dropLast()))))
            if flushed > 0 {
                var other = below.subtrees
                other[0] = .zero
                let changed = SerialisedTree(flushed: UInt64(flushed), leaves: rest, flushedSubtrees: other.reversed())
                #expect(!tail.isSame(as: try #require(changed)))
                var less = MerkleFrontier()
                for leaf in leaves[..<(flushed - 1)] { less.append(leaf) }
                #expect(!tail.isSame(as: try #require(SerialisedTree(flushed: less, leaves: rest))))
            }
        }
    }
}
