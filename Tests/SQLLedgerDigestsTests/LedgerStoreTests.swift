import Foundation
import LedgerClient
import LedgerProofs
import SQLLedger
import SQLLedgerDigests
import Testing

/// What only confidential ledgers can do wrong.
@Suite struct LedgerStoreTests {
    private static let collection = "digests"

    private static func store(
        _ ledger: LedgerFixture, _ change: (inout DigestStoreOptions) -> Void = { _ in }
    ) throws -> any DigestArchive {
        var options = ledger.options
        change(&options)
        return try DigestStoreURL("\(ledger.endpoint)?collection=\(collection)").open(options)
    }

    private static func append(_ contents: String, to ledger: LedgerFixture) async throws -> TransactionID {
        try await LedgerClient.withClient(ledger.configuration()) { client in
            var options = AppendOptions()
            options.collectionID = collection
            return try await client.append(contents, options: options).transactionID
        }
    }

    @Test func everyDigestComesWithAReceiptThatOthersCanCheck() async throws {
        try await LedgerFixture.with { ledger in
            let store = try Self.store(ledger)
            let digest = try TestDigests.make(.random(), block: 0)
            try await store.append(digest)
            let stored = try #require(try await store.digests(for: digest.ledger).first)
            let entry = try #require(stored.entry)
            #expect(stored.origin == "\(store.url), transaction \(entry.transactionID)")
            #expect(entry.collectionID == Self.collection && entry.contents == digest.json)
            guard case .verified(let document, let certificate) = stored.receipt else {
                Issue.record("\(stored.receipt)")
                return
            }
            #expect(certificate == ledger.serviceCertificatePEM)
            let verifier = try ReceiptVerifier(serviceCertificatePEM: certificate)
            let check = ReceiptCheck(
                transactionID: entry.transactionID, collectionID: Self.collection, contents: digest.json)
            #expect(throws: Never.self) { try check.verify(json: Array(document.utf8), with: verifier) }
            await store.close()
        }
    }

    /// Whoever may write to the collection can put anything there, and nobody can take it away again. It is named, hides
    /// nothing and accuses nobody.
    @Test func entriesThatAreNoDigestsAreReported() async throws {
        try await LedgerFixture.with { ledger in
            let mine = try TestDigests.make(.random(), block: 1)
            let store = try Self.store(ledger)
            try await store.append(mine)
            var bad: [TransactionID] = []
            for contents in ["hello", " " + mine.json, mine.json + "\n", String(mine.json.dropLast(9))] {
                bad.append(try await Self.append(contents, to: ledger))
            }
            let foreign = LedgerID.random()
            for block in 1...12 { try await store.append(try TestDigests.make(foreign, block: UInt64(block))) }
            for reader in [store, try Self.store(ledger)] {
                let listing = try await reader.listing(for: mine.ledger)
                #expect(listing.digests.map(\.digest) == [mine])
                #expect(listing.problems.map(\.kind) == [.other, .foreign])
                #expect(listing.problems.map(\.count) == [4, 12])
                #expect(listing.problems[0].origin == "\(store.url), transaction \(bad[0])")
                #expect(listing.problems[0].reason.contains("4 entries"))
                #expect(listing.problems[1].reason == "the first of 12 digests of ledger \(foreign)")
                #expect(try await reader.digests(for: mine.ledger).map(\.digest) == [mine])
                #expect(try await reader.listing(for: mine.ledger) == listing, "also when nothing is new")
                await reader.close()
            }
        }
    }

    /// A second digest of a block that came past this store stays visible, after the first.
    @Test func twoDigestsOfABlockAreBothListed() async throws {
        try await LedgerFixture.with { ledger in
            let id = LedgerID.random()
            let one = try TestDigests.make(id, block: 1, hash: 1)
            let two = try TestDigests.make(id, block: 1, hash: 2)
            let store = try Self.store(ledger)
            try await store.append(one)
            _ = try await Self.append(two.json, to: ledger)
            #expect(try await store.digests(for: id).map(\.digest) == [one, two])
            // The first one counts: it is there, and the second is another.
            try await store.append(one)
            let error = await #expect(throws: DigestStoreError.self) { try await store.append(two) }
            #expect(error?.code == .conflict)
            await store.close()
        }
    }

    @Test func aLongCollectionIsReadWhole() async throws {
        try await LedgerFixture.with { ledger in
            let id = LedgerID.random()
            let store = try Self.store(ledger)
            for block in 0..<130 { try await store.append(try TestDigests.make(id, block: UInt64(block))) }
            let other = try Self.store(ledger)
            let stored = try await other.digests(for: id)
            #expect(stored.map(\.digest.block.rawValue) == Array(0..<130))
            #expect(stored.allSatisfy { if case .verified = $0.receipt { true } else { false } })
            await store.close()
            await other.close()
        }
    }

    @Test func withoutARightItIsRefused() async throws {
        try await LedgerFixture.with { ledger in
            let digest = try TestDigests.make(.random(), block: 0)
            let stranger = try LedgerFixture.clientCertificate(name: "stranger")
            let store = try Self.store(ledger) { $0.credential = .certificate(pem: stranger) }
            for code in [
                await Self.code { try await store.append(digest) },
                await Self.code { _ = try await store.digests(for: digest.ledger) },
            ] { #expect(code == .refused) }
            await store.close()
            let token = try Self.store(ledger) { $0.credential = .token { "e30.e30.x" } }
            #expect(await Self.code { try await token.append(digest) } == .refused)
            await token.close()
        }
    }

    @Test func anotherServiceIsNotTrusted() async throws {
        try await LedgerFixture.with { ledger in
            try await LedgerFixture.with { other in
                let store = try Self.store(ledger) { $0.serviceCertificatePEM = other.serviceCertificatePEM }
                let digest = try TestDigests.make(.random(), block: 0)
                #expect(await Self.code { try await store.append(digest) } == .refused)
                await store.close()
            }
        }
    }

    @Test func aServiceThatIsAwayIsUnavailable() async throws {
        var options = DigestStoreOptions()
        options.serviceCertificatePEM = try LedgerFixture.certificate(of: LedgerFixture.clientCertificate())
        options.retries = .none
        let store = try DigestStoreURL("https://127.0.0.1:9?collection=x").open(options)
        let digest = try TestDigests.make(.random(), block: 0)
        #expect(await Self.code { try await store.append(digest) } == .unavailable)
        #expect(await Self.code { _ = try await store.listing(for: digest.ledger) } == .unavailable)
        await store.close()
    }

    /// A certificate with something behind it pins nothing; it must not end the process either.
    @Test func aPinThatIsNotOneCertificateIsRefused() throws {
        let pair = try LedgerFixture.clientCertificate()
        for certificate in [pair, "", "hello", pair + pair] {
            var options = DigestStoreOptions()
            options.serviceCertificatePEM = certificate
            let error = #expect(throws: DigestStoreError.self) {
                try DigestStoreURL("https://127.0.0.1:9?collection=x").open(options)
            }
            #expect(error?.code == .refused)
        }
    }

    static func code(_ body: () async throws -> Void) async -> DigestStoreError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? DigestStoreError)?.code
        }
    }
}
