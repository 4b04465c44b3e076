import Crypto
import Foundation
import LedgerProofs
import Testing

@testable import LedgerFormat

/// The direct way to AES-GCM must give what the library's own interface gives.
@Suite struct EntrySealerTests {
    private static let prefix = 44

    /// A buffer with a prefix, what is authenticated, and the text.
    private func buffer(authenticated: Int, text: Int, seed: UInt8) -> [UInt8] {
        (0..<Self.prefix + authenticated + text).map { UInt8(truncatingIfNeeded: $0 &* 7) &+ seed }
    }

    private func expectSame(
        _ sealer: EntrySealer, _ key: SymmetricKey, authenticated: Int, text: Int, iv: EntryIV
    ) throws {
        let before = buffer(authenticated: authenticated, text: text, seed: UInt8(truncatingIfNeeded: text))
        let end = Self.prefix + authenticated
        var after = before
        #expect(
            sealer.seal(&after, from: end, authenticating: Self.prefix..<end, tagOffset: 8, iv: iv),
            "\(authenticated) and \(text) bytes")
        var nonce: [UInt8] = []
        iv.append(to: &nonce)
        let box = try AES.GCM.seal(
            before[end...], using: key, nonce: AES.GCM.Nonce(data: nonce), authenticating: before[Self.prefix..<end])
        var expected = before
        expected.replaceSubrange(end..., with: box.ciphertext)
        expected.replaceSubrange(8..<24, with: box.tag)
        #expect(after == expected, "\(authenticated) and \(text) bytes")
    }

    @Test func givesWhatTheLibraryGives() throws {
        let key = SymmetricKey(size: .bits256)
        let sealer = EntrySealer(key: key)
        let sizes = Array(0...70) + [127, 128, 255, 256, 257, 1_000, 4_096, 65_537]
        for (i, text) in sizes.enumerated() {
            let iv = EntryIV(seqno: SequenceNumber(UInt64(i) << 33 | 1), viewField: UInt32(i + 2))
            try expectSame(sealer, key, authenticated: sizes[(i * 31 + 5) % sizes.count], text: text, iv: iv)
            try expectSame(sealer, key, authenticated: 0, text: text, iv: .snapshot(iv.seqno))
        }
    }

    @Test func oneSealerServesSeveralThreads() async throws {
        let key = SymmetricKey(size: .bits256)
        let sealer = EntrySealer(key: key)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for i in 1...200 {
                        let iv = EntryIV(seqno: SequenceNumber(UInt64(i)), viewField: UInt32(task + 1))
                        try expectSame(sealer, key, authenticated: i, text: 3 * i, iv: iv)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// A copy of a secret keeps the sealer alive after the original is gone.
    @Test func sealedEntriesOpen() throws {
        let secret = try #require(LedgerSecret(bytes: [UInt8](repeating: 9, count: 32)))
        let copies = (0..<3).map { _ in secret }
        let iv = EntryIV(seqno: SequenceNumber(7), viewField: 2)
        for copy in copies {
            var bytes = buffer(authenticated: 20, text: 33, seed: 1)
            let text = Array(bytes[64...])
            try copy.seal(&bytes, from: 64, authenticating: 44..<64, tagOffset: 8, iv: iv)
            let sealed = SealedDomain(tag: Array(bytes[8..<24]), ciphertext: Array(bytes[64...]))
            #expect(try secret.open(sealed, authenticating: Array(bytes[44..<64]), iv: iv) == text)
        }
    }
}
