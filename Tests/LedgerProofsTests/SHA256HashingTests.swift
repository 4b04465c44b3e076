import Crypto
import Testing

@testable import LedgerProofs

@Suite struct SHA256HashingTests {
    /// FIPS 180-2, appendix B.
    @Test func knownAnswers() {
        #expect(
            SHA256Hashing.digest(utf8: "abc").hex
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256Hashing.digest([]).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(SHA256Hashing.digest(UnsafeRawBufferPointer(start: nil, count: 0)) == SHA256Hashing.digest([]))
    }

    /// Every length around the block size, and some beyond, at even and odd addresses.
    @Test func agreesWithTheStreamingHash() {
        let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 131 ^ $0 >> 7) }
        bytes.withUnsafeBytes { all in
            for count in Array(0...300) + [4095, 4096, 65_537] {
                for start in [0, 1, 7] {
                    let piece = UnsafeRawBufferPointer(rebasing: all[start..<start + count])
                    var hasher = SHA256()
                    for byte in stride(from: 0, to: count, by: 100) {
                        hasher.update(
                            bufferPointer: UnsafeRawBufferPointer(rebasing: piece[byte..<min(byte + 100, count)]))
                    }
                    #expect(SHA256Hashing.digest(piece) == Digest32(finishing: hasher), "\(count) bytes from \(start)")
                }
            }
        }
    }
}
