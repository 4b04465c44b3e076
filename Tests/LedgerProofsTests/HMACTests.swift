import Crypto
import LedgerProofs
import Testing

/// The package's HMAC against the library's.
@Suite struct HMACTests {
    @Test func agreesWithTheLibraryForKeysAndMessagesOfAnyLength() {
        for keyCount in [0, 1, 31, 32, 63, 64, 65, 96, 131] {
            let key = (0..<keyCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
            for count in [0, 1, 55, 56, 63, 64, 65, 119, 1_000] {
                let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ keyCount) }
                let expected = Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
                let found = message.withUnsafeBytes { message in
                    key.withUnsafeBytes { Digest32(hmac: message, key: $0) }
                }
                #expect(found.bytes == expected, "key of \(keyCount) bytes, message of \(count)")
            }
        }
        let text = "Zürich"
        let expected = Array(
            HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: [1, 2, 3])))
        #expect([UInt8]([1, 2, 3]).withUnsafeBytes { Digest32(hmac: text, key: $0) }.bytes == expected)
    }
}
