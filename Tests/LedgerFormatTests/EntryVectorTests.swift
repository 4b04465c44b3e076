import LedgerProofs
import Testing

@testable import LedgerFormat

/// Every transaction of `Vectors/ccf/ledger`, decoded, compared, decrypted and written again.
@Suite struct EntryVectorTests {
    static let chunks = ["ledger/ledger_1-10.committed", "ledger/ledger_11-20.committed", "ledger/ledger_21"]

    @Test func everyEntryRoundTrips() throws {
        let vectors = try Vectors.json("entries.json")
        let secret = try #require(LedgerSecret(bytes: vectors["ledger_secret_hex"].hex))
        let entries = try Self.chunks.flatMap { try Vectors.entries(chunk: $0) }
        #expect(entries.count == 32)
        #expect(vectors["entries"].list.count == 32)
        for (bytes, vector) in zip(entries, vectors["entries"].list) {
            let entry = try Entry(decoding: bytes)
            #expect(entry.id.description == vector["txid"].text)
            #expect(entry.flags.rawValue == UInt8(vector["flags"].number))
            #expect(entry.sealed.tag == vector["gcm_tag"].hex)
            #expect(entry.sealed.ciphertext == vector["private_ciphertext"].hex)
            #expect(entry.publicBytes.count == vector["public_domain_length"].number)
            #expect(entry.publicDomain.claimsDigest?.hex == vector["claims_digest"].text)
            #expect(secret.commitEvidence(for: entry.id) == vector["commit_evidence"].text)
            #expect(secret.commitEvidenceDigest(for: entry.id) == entry.publicDomain.commitEvidenceDigest)
            #expect(entry.writeSetDigest.hex == vector["write_set_digest"].text)
            #expect(try entry.leaf().hex == vector["leaf"].text)
            if case .string(let hex) = vector["entry_hex"] { #expect(Hex.encode(bytes) == hex) }

            let hidden = try entry.decryptPrivate(with: secret)
            var plaintext: [UInt8] = []
            MapCodec.append(hidden, wantPublic: false, to: &plaintext)
            #expect(plaintext == vector["private_plaintext"].hex)

            let again = try EntryEncoder.encode(
                WriteSet(maps: entry.publicDomain.maps + hidden), id: entry.id,
                claimsDigest: try #require(entry.publicDomain.claimsDigest),
                commitEvidenceDigest: secret.commitEvidenceDigest(for: entry.id), flags: entry.flags, secret: secret)
            #expect(again.bytes == bytes)
            #expect(again.writeSetDigest == entry.writeSetDigest)
        }
    }

    @Test func everyLedgerOfTheVectorsRoundTrips() throws {
        for chunk in [
            "ledger_cose_only/ledger_1-10.committed", "ledger_raw_only/ledger_21",
            "ledger_recovered/ledger_21-31.committed", "ledger_recovered/ledger_32-42.committed",
            "ledger_recovered/ledger_43-44.committed",
        ] {
            let secrets = try Vectors.secrets(recovered: chunk.hasPrefix("ledger_recovered"))
            for bytes in try Vectors.entries(chunk: chunk) {
                let entry = try Entry(decoding: bytes)
                let secret = try #require(secrets.secret(at: entry.id.seqno))
                let hidden = try entry.decryptPrivate(with: secret)
                let again = try EntryEncoder.encode(
                    WriteSet(maps: (entry.publicDomain.maps + hidden).reversed()), id: entry.id,
                    claimsDigest: try #require(entry.publicDomain.claimsDigest),
                    commitEvidenceDigest: secret.commitEvidenceDigest(for: entry.id), flags: entry.flags,
                    secret: secret)
                #expect(again.bytes == bytes)
            }
        }
    }

    @Test func appendLeavesTheEarlierBytesAlone() throws {
        let secret = LedgerSecret.random()
        var writes = WriteSet()
        writes.put(.privateLogs, key: [1], value: [2])
        writes.put(.publicLogs, key: [3], value: [4])
        let id = TransactionID(view: .initial, seqno: SequenceNumber(7))
        let one = try EntryEncoder.encode(writes, id: id, commitEvidenceDigest: .zero, secret: secret)
        var buffer: [UInt8] = [9, 9, 9]
        let digest = try EntryEncoder.append(writes, id: id, commitEvidenceDigest: .zero, secret: secret, to: &buffer)
        #expect(buffer == [9, 9, 9] + one.bytes)
        #expect(digest == one.writeSetDigest)
    }

    @Test func wrongSecretAndChangedBytesFailTheTag() throws {
        let secret = LedgerSecret.random()
        var writes = WriteSet()
        writes.put(.privateLogs, key: [1], value: [2])
        writes.put(.publicLogs, key: [1], value: [2])
        let id = TransactionID(view: .initial, seqno: SequenceNumber(7))
        let encoded = try EntryEncoder.encode(writes, id: id, commitEvidenceDigest: .zero, secret: secret)
        #expect(throws: LedgerFormatError.self) {
            try Entry(decoding: encoded.bytes).decryptPrivate(with: .random())
        }
        // Every byte that the tag covers: tag, IV, public domain, ciphertext. Changed bytes may not decode either.
        for i in 8..<encoded.bytes.count {
            var changed = encoded.bytes
            changed[i] ^= 1
            #expect(throws: LedgerFormatError.self) { try Entry(decoding: changed).decryptPrivate(with: secret) }
        }
    }
}
