import LedgerProofs
import Testing

@testable import LedgerFormat

@Suite struct RawSignatureTests {
    /// Written by hand, the row must be what the general writer makes of the same members.
    @Test(arguments: [nil, "-----BEGIN CERTIFICATE-----\nAB/+\n-----END CERTIFICATE-----\n", "\"\\\u{1}é"])
    func isWhatTheGeneralWriterWrites(_ certificate: String?) throws {
        for (view, seqno) in [(1, 1), (2, 4_294_967_296), (2_147_483_647, 9_223_372_036_854_775_807)]
            as [(UInt32, UInt64)]
        {
            let id = TransactionID(view: View(view), seqno: SequenceNumber(seqno))
            let root = SHA256Hashing.digest(utf8: "\(seqno)")
            let signature = (0..<71).map { UInt8(truncatingIfNeeded: $0 * 37) }
            let row = RawSignature(node: "no\"de", id: id, root: root, signature: signature, certificate: certificate)
            var object = JSONObjectBuilder()
            object.set("cert", certificate)
            object.set("commit_seqno", 0)
            object.set("commit_view", 0)
            object.set("hashed_nonce", Digest32.zero.hex)
            object.set("node", "no\"de")
            object.set("root", root.hex)
            object.set("seqno", seqno)
            object.set("sig", base64: signature)
            object.set("view", UInt64(view))
            #expect(row.encoded() == object.encoded())
            #expect(try RawSignature(decoding: row.encoded()).encoded() == row.encoded())
        }
    }

    /// The quick reader of plain rows takes only what the general one reads, and reads the same.
    @Test func plainRowsAreReadAsAnyOther() throws {
        let id = TransactionID(view: View(2), seqno: SequenceNumber(7))
        let row = RawSignature(
            node: "n", id: id, root: SHA256Hashing.digest(utf8: "root"), signature: [1, 2, 3],
            certificate: "-----BEGIN\n\"é\\")
        let text = String(decoding: row.encoded(), as: UTF8.self)
        let plain = [
            text, text + " \n", text.replacing(",", with: " ,\t").replacing(":", with: " : "),
            text.replacing("\"n\"", with: "\"\\u006e\""), text.replacing("\"commit_view\":0,", with: ""),
            text.replacing("\"view\":2", with: "\"view\":4294967295"),
            text.replacing("\"seqno\":7", with: "\"seqno\":18446744073709551615"),
        ]
        for text in plain {
            let bytes = Array(text.utf8)
            let quick = try #require(RawSignature.plain(bytes), "\(text)")
            #expect(quick.encoded() == (try RawSignature(general: bytes).encoded()))
        }
        let root = row.root.hex
        let open = String(text.dropLast())
        var others: [String] = ["", "[]", "{}", "{"]
        for end in [
            ",", "", ",\"new\":1}", ",\"view\":2}", ",\"cert\":\"\"}", ",\"node\":\"n\"}", "}x", ",}",
        ] { others.append(open + end) }
        let changes: [(String, String)] = [
            ("\"view\":2", "\"view\":2.0"), ("\"view\":2", "\"view\":-0"), ("\"view\":2", "\"view\":2e0"),
            ("\"view\":2", "\"view\":4294967296"), ("\"view\":2", "\"view\":\"2\""), ("\"view\":2", "\"view\":02"),
            ("\"seqno\":7", "\"seqno\":18446744073709551616"), ("\"seqno\":7", "\"seqno\":-7"),
            ("\"seqno\":7", "\"seq\":7"), ("\"n\"", "null"), ("\"n\"", "[\"n\"]"), (root, String(root.dropLast())),
            (root, root.dropLast() + "g"), ("\"AQID\"", "\"AQI\""), ("\"AQID\"", "\"AQ-_\""),
            ("\"commit_view\":0", "\"commit_view\":\"0\""), ("\"commit_view\":0", "\"commit_view\":00"),
            ("\"n\"", "\"\u{1}\""), ("\"n\"", "\"\\ud800\""), ("\"cert\":", "\"cert\":null,\"c\":"),
        ]
        for (old, new) in changes { others.append(text.replacing(old, with: new)) }
        for other in others {
            let bytes = Array(other.utf8)
            #expect(RawSignature.plain(bytes) == nil, "\(other)")
            func result(_ read: ([UInt8]) throws(LedgerFormatError) -> RawSignature) -> String {
                do throws(LedgerFormatError) { return "\(try read(bytes).encoded())" } catch { return "\(error)" }
            }
            #expect(result(RawSignature.init(decoding:)) == result(RawSignature.init(general:)))
        }
        #expect(RawSignature.plain([0xEF, 0xBB, 0xBF] + Array(text.utf8)) == nil)
        #expect(RawSignature.plain(Array(text.utf8).map { $0 == UInt8(ascii: "n") ? 0xFF : $0 }) == nil)
    }
}
