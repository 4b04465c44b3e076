import LedgerProofs
import Testing

@testable import LedgerFormat

@Suite struct SnapshotTests {
    @Test(arguments: ["snapshots", "snapshots_cose_only"])
    func vectorsRoundTrip(directory: String) throws {
        let bytes = try Vectors.bytes("\(directory)/snapshot_20_21.committed")
        let secret = try #require(try Vectors.secrets().secret(at: SequenceNumber(20)))
        let file = try SnapshotFile(decoding: bytes)
        #expect(file.encoded() == bytes)
        let snapshot = try Snapshot(decoding: file.entry, secret: secret)
        let again = try snapshot.encoded(secret: secret)
        #expect(again.bytes == file.entry)
        #expect(again.writeSetDigest == file.digest)
        #expect(snapshot.seqno == SequenceNumber(20))
        #expect(snapshot.viewHistory == [1, 1])
        #expect(snapshot.maps.contains { !$0.name.isPublic })

        // The evidence transaction of the ledger names this snapshot.
        let ledger = directory == "snapshots" ? "ledger" : "ledger_cose_only"
        let entries = try Vectors.entries(chunk: "\(ledger)/ledger_11-20.committed")
        #expect(try Entry(decoding: entries[9]).leaf() == snapshot.leaf)
        let evidence = try Entry(decoding: try Vectors.entries(chunk: "\(ledger)/ledger_21")[0])
        let value = try #require(evidence.publicDomain[.snapshotEvidence]?.value(for: zeroKey))
        #expect(
            try SnapshotEvidence(decoding: value)
                == SnapshotEvidence(hash: file.digest, version: SequenceNumber(20)))
        #expect(evidence.publicDomain.claimsDigest == file.digest)
        switch file.receipt {
        case .json(let json):
            #expect(try UnverifiedReceipt(json: json).leaf == .components(components(evidence, secret)))
        case .cose(let cose): #expect(try UnverifiedCOSEReceipt(cose: cose).leaf == components(evidence, secret))
        case nil: Issue.record("no receipt")
        }
    }

    func components(_ entry: Entry, _ secret: LedgerSecret) throws -> LeafComponents {
        LeafComponents(
            writeSetDigest: entry.writeSetDigest, commitEvidence: secret.commitEvidence(for: entry.id),
            claimsDigest: try #require(entry.publicDomain.claimsDigest))
    }

    @Test func changedBytesAreRefused() throws {
        let bytes = try Vectors.bytes("snapshots/snapshot_20_21.committed")
        let secret = try #require(try Vectors.secrets().secret(at: SequenceNumber(20)))
        let entry = try SnapshotFile(decoding: bytes).entry
        for offset in stride(from: 0, to: entry.count, by: 97) {
            var changed = entry
            changed[offset] ^= 1
            #expect(throws: LedgerFormatError.self) { try Snapshot(decoding: changed, secret: secret) }
        }
        #expect(throws: LedgerFormatError.self) { try SnapshotFile(decoding: entry + [0]) }
        #expect(throws: LedgerFormatError.self) { try SnapshotFile(decoding: Array(entry.dropLast())) }
        #expect(try SnapshotFile(decoding: entry).receipt == nil)
    }

    @Test func names() {
        let name = SnapshotName(seqno: SequenceNumber(20), evidence: SequenceNumber(21), isCommitted: true)
        #expect(name.fileName == "snapshot_20_21.committed")
        #expect(SnapshotName(fileName: name.fileName) == name)
        for bad in [
            "snapshot_20", "snapshot_21_20", "snapshot_020_21", "snapshot_20_21.x", "ledger_1-2",
            "snapshot_1_18446744073709551615", "snapshot_1_9223372036854775808.committed",
        ] {
            #expect(SnapshotName(fileName: bad) == nil)
        }
    }
}
