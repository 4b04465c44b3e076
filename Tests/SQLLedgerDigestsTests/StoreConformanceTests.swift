import Foundation
import LedgerProofs
import SQLLedger
import SQLLedgerDigests
import Testing

/// The contract of `DigestStore`, run against every store.
@Suite struct StoreConformanceTests {
    typealias Kind = StorePlace.Kind

    private static func isReceiptRight(_ digest: StoredDigest, _ kind: Kind) -> Bool {
        switch (kind, digest.receipt) {
        case (.directory, .none): digest.entry == nil
        case (.confidentialLedger, .verified): digest.entry?.contents == digest.digest.json
        default: false
        }
    }

    @Test(arguments: Kind.allCases) func nothingIsStoredAtFirst(_ kind: Kind) async throws {
        try await StorePlace.with(kind) { place in
            try await place.use { store async throws in
                #expect(try await store.digests(for: .random()).isEmpty)
                #expect(try await store.digests(for: .random(), block: BlockID(0)).isEmpty)
            }
        }
    }

    @Test(arguments: Kind.allCases) func whatWasAppendedIsReadAgain(_ kind: Kind) async throws {
        try await StorePlace.with(kind) { place in
            let ledger = LedgerID.random()
            let digests = try (0..<5).map { try TestDigests.make(ledger, block: UInt64($0)) }
            try await place.use { store async throws in
                // Not in order: blocks sort, not time of arrival.
                for digest in digests.reversed() { try await store.append(digest) }
                #expect(try await store.digests(for: ledger).map(\.digest) == digests)
            }
            try await place.use { store async throws in
                let stored = try await store.digests(for: ledger)
                #expect(stored.map(\.digest) == digests)
                #expect(stored.allSatisfy { Self.isReceiptRight($0, kind) })
                #expect(Set(stored.map(\.origin)).count == digests.count, "every digest has an origin of its own")
                #expect(try await store.digests(for: ledger, block: BlockID(3)).map(\.digest) == [digests[3]])
                #expect(try await store.digests(for: ledger, block: BlockID(5)).isEmpty)
                #expect(try await store.listing(for: ledger).problems.isEmpty)
            }
        }
    }

    @Test(arguments: Kind.allCases) func aPartCanBeAskedFor(_ kind: Kind) async throws {
        try await StorePlace.with(kind) { place in
            let ledger = LedgerID.random()
            let digests = try [1, 4, 9, 10].map { try TestDigests.make(ledger, block: $0) }
            try await place.use { store async throws in
                for digest in digests { try await store.append(digest) }
                try await store.append(try TestDigests.make(.random(), block: 5))
                #expect(
                    try await store.listing(for: ledger, from: BlockID(4)).digests.map(\.digest) == Array(digests[1...])
                )
                #expect(try await store.listing(for: ledger, from: BlockID(11)).digests.isEmpty)
                #expect(try await store.blocks(of: ledger, from: BlockID(5)) == [BlockID(9), BlockID(10)])
                #expect(try await store.blocks(of: .random(), from: BlockID(0)).isEmpty)
                for (blocks, found) in [
                    ([0], [0]), ([1, 2, 3, 4], [0, 1]), ([5, 10], [2, 3]), ([11], []), ([], []),
                ] {
                    let covering = try await store.digests(
                        for: ledger, covering: Set(blocks.map { BlockID(UInt64($0)) }))
                    #expect(covering.map(\.digest) == found.map { digests[$0] }, "\(blocks)")
                    #expect(covering.allSatisfy { Self.isReceiptRight($0, kind) })
                }
            }
        }
    }

    @Test(arguments: Kind.allCases) func theSameBytesAgainChangeNothing(_ kind: Kind) async throws {
        try await StorePlace.with(kind) { place in
            let digest = try TestDigests.make(.random(), block: 7)
            try await place.use { store async throws in
                try await store.append(digest)
                try await store.append(digest)
            }
            try await place.use { store async throws in
                try await store.append(digest)
                #expect(try await store.digests(for: digest.ledger).map(\.digest) == [digest])
            }
        }
    }

    @Test(arguments: Kind.allCases) func otherBytesForABlockAreAConflictThatNamesBoth(_ kind: Kind) async throws {
        try await StorePlace.with(kind) { place in
            let ledger = LedgerID.random()
            let first = try TestDigests.make(ledger, block: 7, hash: 1, database: "caf\u{E9}")
            let otherHash = try TestDigests.make(ledger, block: 7, hash: 2, database: first.databaseName)
            let otherTime = try TestDigests.make(
                ledger, block: 7, hash: 1, seconds: 1, database: first.databaseName)
            let otherSpelling = try TestDigests.make(ledger, block: 7, hash: 1, database: "cafe\u{301}")
            try await place.use { store async throws in try await store.append(first) }
            try await place.use { store async throws in
                for other in [otherHash, otherTime, otherSpelling] {
                    let error = await #expect(throws: DigestStoreError.self) { try await store.append(other) }
                    #expect(error?.code == .conflict)
                    let reason = error?.reason ?? ""
                    #expect(reason.contains(first.hash.hex.uppercased()) && reason.contains("\(first.digestTime)"))
                    #expect(reason.contains(other.hash.hex.uppercased()) && reason.contains("\(other.digestTime)"))
                }
                #expect(try await store.digests(for: ledger).map(\.digest) == [first], "the first one stays")
            }
        }
    }

    @Test(arguments: Kind.allCases) func ledgersAreKeptApart(_ kind: Kind) async throws {
        try await StorePlace.with(kind) { place in
            let mine = try TestDigests.make(.random(), block: 0)
            let theirs = try TestDigests.make(.random(), block: 0)
            try await place.use { store async throws in
                try await store.append(mine)
                try await store.append(theirs)
                #expect(try await store.digests(for: mine.ledger).map(\.digest) == [mine])
                #expect(try await store.digests(for: theirs.ledger).map(\.digest) == [theirs])
                #expect(try await store.digests(for: .random()).isEmpty)
            }
        }
    }

    @Test(arguments: Kind.allCases) func namesOfAnyTextComeBackUnchanged(_ kind: Kind) async throws {
        try await StorePlace.with(kind) { place in
            let ledger = LedgerID.random()
            let names = ["", "日本", "a\"b\\c/d", "tab\tline\nnul\u{0}bell\u{7}", "e\u{301}", "🔒", "\u{202E}abc"]
            let digests = try names.enumerated().map {
                try TestDigests.make(ledger, block: UInt64($0), database: $1)
            }
            try await place.use { store async throws in for digest in digests { try await store.append(digest) } }
            try await place.use { store async throws in
                let stored = try await store.digests(for: ledger).map(\.digest.json)
                #expect(stored == digests.map(\.json))
            }
        }
    }

    @Test(arguments: Kind.allCases) func theLargestBlockIDIsStored(_ kind: Kind) async throws {
        try await StorePlace.with(kind) { place in
            let ledger = LedgerID.random()
            let blocks: [UInt64] = [9, 10, 99, 100, (1 << 53) - 2]
            try await place.use { store async throws in
                for block in blocks { try await store.append(try TestDigests.make(ledger, block: block)) }
                #expect(try await store.digests(for: ledger).map(\.digest.block.rawValue) == blocks)
            }
        }
    }

    /// Several processes that seal the same database upload the same digest.
    @Test(arguments: Kind.allCases) func theSameDigestFromManyAtOnceIsOne(_ kind: Kind) async throws {
        try await StorePlace.with(kind) { place in
            let digest = try TestDigests.make(.random(), block: 3)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await place.use { store async throws in try await store.append(digest) } }
                }
                try await group.waitForAll()
            }
            try await place.use { store async throws in
                #expect(try await store.digests(for: digest.ledger).map(\.digest) == [digest])
            }
        }
    }

    /// Whoever is told that his digest is stored has stored the first one; all others are told of a conflict.
    @Test(arguments: Kind.allCases) func ofManyDigestsOfABlockOneWins(_ kind: Kind) async throws {
        try await StorePlace.with(kind) { place in
            let ledger = LedgerID.random()
            let digests = try (0..<8).map { try TestDigests.make(ledger, block: 3, hash: UInt8($0)) }
            let winners = try await withThrowingTaskGroup(of: LedgerDigest?.self) { group in
                for digest in digests {
                    group.addTask {
                        do {
                            try await place.use { store async throws in try await store.append(digest) }
                            return digest
                        } catch let error as DigestStoreError where error.code == .conflict {
                            return nil
                        }
                    }
                }
                var winners: [LedgerDigest] = []
                for try await winner in group { if let winner { winners.append(winner) } }
                return winners
            }
            #expect(winners.count == 1)
            try await place.use { store async throws in
                #expect(try await store.digests(for: ledger, block: BlockID(3)).first?.digest == winners.first)
            }
        }
    }
}
