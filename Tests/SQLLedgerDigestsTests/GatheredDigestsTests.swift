import LedgerProofs
import SQLLedger
import SQLLedgerDigests
import Testing

/// What a verification is told of stores.
@Suite struct GatheredDigestsTests {
    /// A store that holds what it is told to.
    private struct Shelf: DigestArchive {
        var url = "file:///shelf"
        var contents: Result<DigestListing, DigestStoreError>

        func append(_ digest: LedgerDigest) async throws { throw DigestStoreError(.refused, "is read only") }
        func listing(for ledger: LedgerID, from first: BlockID) async throws -> DigestListing { try contents.get() }
        func digests(for ledger: LedgerID, block: BlockID) async throws -> [StoredDigest] { [] }
    }

    private static func gather(_ contents: Result<DigestListing, DigestStoreError>) async -> GatheredDigests {
        var gathered = GatheredDigests()
        await gathered.add(digestsOf: .random(), from: Shelf(contents: contents))
        return gathered
    }

    @Test func onlyWhatItsReceiptProvesIsUsed() async throws {
        let ledger = LedgerID.random()
        let receipts: [DigestReceipt] = [
            .none, .verified(document: "{}", serviceCertificate: ""), .pending, .invalid(reasons: ["another root"]),
        ]
        let stored = try receipts.enumerated().map { number, receipt in
            StoredDigest(
                digest: try TestDigests.make(ledger, block: UInt64(number)), origin: "place \(number)", receipt: receipt
            )
        }
        let gathered = await Self.gather(.success(DigestListing(digests: stored)))
        #expect(gathered.digests.map(\.origin) == ["place 0", "place 1"])
        #expect(gathered.digests.allSatisfy { $0.store == "file:///shelf" })
        #expect(gathered.stores == ["file:///shelf"])
        #expect(gathered.findings.map(\.code) == [.readUntrusted])
        #expect(gathered.findings.map(\.object) == ["place 3"])
        #expect(gathered.findings.first?.reason.contains("another root") == true)
        #expect(gathered.notes.contains { $0.hasPrefix("place 2: has no receipt yet") })
        #expect(gathered.notes.contains { $0.hasPrefix("2 digests from file:///shelf, each proved") })
    }

    @Test func aStoreThatCannotBeReadIsAFindingAndDidNotAnswer() async {
        let gathered = await Self.gather(.failure(DigestStoreError(.unavailable, "nobody is there.")))
        #expect(gathered.findings.map(\.code) == [.verifierBlocked])
        #expect(gathered.findings.first?.reason == "The digest store could not be read: unavailable: nobody is there.")
        #expect(gathered.stores.isEmpty && gathered.digests.isEmpty)
    }

    @Test func damageIsAFindingAndForeignDigestsAreANote() async {
        let problems = [
            DigestProblem(.damaged, origin: "a", reason: "not a digest"),
            DigestProblem(.foreign, origin: "b", reason: "a digest of another ledger"),
        ]
        let gathered = await Self.gather(.success(DigestListing(problems: problems)))
        #expect(gathered.findings.map(\.code) == [.readUntrusted])
        #expect(gathered.notes.count == 2)
        #expect(gathered.notes.contains("file:///shelf holds no digest of this ledger"))
    }

    @Test func findingsAreLimitedAndCounted() async throws {
        let ledger = LedgerID.random()
        let problems = (0..<15).map { DigestProblem(.damaged, origin: "file \($0)", reason: "not a digest") }
        let stored = try (0..<30).map {
            StoredDigest(
                digest: try TestDigests.make(ledger, block: $0), origin: "place \($0)",
                receipt: .invalid(reasons: ["another root"]))
        }
        let gathered = await Self.gather(.success(DigestListing(digests: stored, problems: problems)))
        #expect(gathered.findings.count == 22)
        #expect(gathered.findings.reduce(0) { $0 + $1.count } == 45)
        #expect(gathered.findings.allSatisfy { $0.code == .readUntrusted })
    }

    @Test func whatIsProvedToBeNoDigestIsANote() async {
        let problem = DigestProblem(.other, origin: "a", reason: "an entry that is no digest", count: 7)
        let gathered = await Self.gather(.success(DigestListing(problems: [problem])))
        #expect(gathered.findings.isEmpty)
        #expect(gathered.notes.contains("a: an entry that is no digest"))
    }

    @Test func theReportHoldsWhatWasWrongWithStores() async throws {
        let gathered = await Self.gather(.failure(DigestStoreError(.unavailable, "nobody is there")))
        let report = LedgerVerifier(VerificationOptions()).verify(NoEvidence(), with: gathered)
        #expect(report.findings.contains { $0.code == .verifierBlocked && $0.object == "file:///shelf" })
        #expect(report.verdict == .unable)
    }

    private struct NoEvidence: LedgerEvidence {
        struct Gone: Error {}
        var source: String { "nothing" }
        var notes: [String] { [] }
        func makeReaders(_ count: Int) throws -> [any LedgerEvidenceReader] { throw Gone() }
        func finish() throws {}
    }
}
