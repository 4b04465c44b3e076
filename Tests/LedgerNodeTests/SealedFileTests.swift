import Foundation
import Testing

@testable import LedgerNode

@Suite struct SealedFileTests {
    private let secret = Array("the secret".utf8)
    private static let keys: [SealedFile.Key] = [.file([UInt8](repeating: 3, count: 32)), .passphrase("correct horse")]

    @Test(arguments: 0..<2) func opensWithItsKeyOnly(_ index: Int) throws {
        let sealed = try SealedFile.seal(secret, purpose: "p", key: Self.keys[index])
        #expect(try SealedFile.open(sealed, purpose: "p", key: Self.keys[index], path: "f") == secret)
        #expect(throws: LedgerError(.wrongSealingKey, "")) {
            try SealedFile.open(sealed, purpose: "q", key: Self.keys[index], path: "f")
        }
        for wrong in [Self.keys[1 - index], .file([UInt8](repeating: 4, count: 32)), .passphrase("Correct horse")] {
            #expect(throws: LedgerError(.wrongSealingKey, "")) {
                try SealedFile.open(sealed, purpose: "p", key: wrong, path: "f")
            }
        }
    }

    @Test func aGoldenFileOpens() throws {
        let golden = """
            {"format":"indelible-sealed/1","kdf":"hkdf-sha256","salt":"AAECAwQFBgcICQoLDA0ODw==",
             "sealed":"AAECAwQFBgcICQoLGcDBLSQnKcO5b/rVFPEAd7BVWU+7k8pd4ZM="}
            """
        // Made with another library: key = 32 bytes of 0x03, nonce = 0…11.
        let opened = try SealedFile.open(
            Array(golden.utf8), purpose: "p", key: .file([UInt8](repeating: 3, count: 32)), path: "f")
        #expect(opened == secret)
    }

    /// Some of these ended the process, others took gigabytes.
    @Test func hostileCostsAreRefused() throws {
        let sealed = try SealedFile.seal(secret, purpose: "p", key: Self.keys[1])
        let file = try JSONDecoder().decode(SealedFile.self, from: Data(sealed))
        for (rounds, blockSize) in [
            (-1, 8), (0, 8), (1, 8), (32_767, 8), (1 << 21, 1), (.max, 8), (.min, 8), (1 << 15, -1), (1 << 15, 0),
            (1 << 15, 33), (1 << 15, .max), (1 << 15, .min), (1 << 20, 9), (1 << 20, 32), (-1, -1),
        ] as [(Int, Int)] {
            var changed = file
            (changed.rounds, changed.blockSize) = (rounds, blockSize)
            let bytes = Array(try JSONEncoder().encode(changed))
            #expect(throws: LedgerError(.invalidInput, ""), "\(rounds), \(blockSize)") {
                try SealedFile.open(bytes, purpose: "p", key: Self.keys[1], path: "f")
            }
        }
        // In range, but not those it was sealed with, or none that scrypt takes together.
        for (rounds, blockSize) in [(2, 1), (1 << 16, 1), (1 << 14, 32)] {
            var changed = file
            (changed.rounds, changed.blockSize) = (rounds, blockSize)
            let bytes = Array(try JSONEncoder().encode(changed))
            #expect(throws: LedgerError(.wrongSealingKey, ""), "\(rounds), \(blockSize)") {
                try SealedFile.open(bytes, purpose: "p", key: Self.keys[1], path: "f")
            }
        }
    }

    @Test func changedAndForeignFilesAreRefused() throws {
        let sealed = try SealedFile.seal(secret, purpose: "p", key: Self.keys[0])
        var file = try JSONDecoder().decode(SealedFile.self, from: Data(sealed))
        for position in file.sealed.indices {
            var changed = file
            changed.sealed[position] ^= 1
            #expect(throws: LedgerError(.wrongSealingKey, "")) {
                try SealedFile.open(
                    Array(try JSONEncoder().encode(changed)), purpose: "p", key: Self.keys[0], path: "f")
            }
        }
        file.format = "indelible-sealed/2"
        #expect(throws: LedgerError(.invalidInput, "")) {
            try SealedFile.open(Array(try JSONEncoder().encode(file)), purpose: "p", key: Self.keys[0], path: "f")
        }
        file.format = SealedFile.format
        file.rounds = 1 << 30
        file.kdf = "scrypt"
        #expect(throws: LedgerError(.invalidInput, "")) {
            try SealedFile.open(Array(try JSONEncoder().encode(file)), purpose: "p", key: Self.keys[1], path: "f")
        }
        file.rounds = nil
        file.salt = Data()
        #expect(throws: LedgerError(.invalidInput, "")) {
            try SealedFile.open(Array(try JSONEncoder().encode(file)), purpose: "p", key: Self.keys[1], path: "f")
        }
        for junk in [[], Array("{}".utf8), Array("nonsense".utf8)] {
            #expect(throws: LedgerError(.invalidInput, "")) {
                try SealedFile.open(junk, purpose: "p", key: Self.keys[0], path: "f")
            }
        }
    }
}
