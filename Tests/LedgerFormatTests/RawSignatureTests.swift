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
}
