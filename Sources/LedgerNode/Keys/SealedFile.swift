import Crypto
import CryptoExtras
import Foundation
import LedgerProofs

/// The file format `sealed/1`: one secret, encrypted under a key file or a passphrase
/// (Documentation/spec/sealed-file.md).
struct SealedFile: Codable {
    static let format = "indelible-sealed/1"
    /// scrypt cost: N = 2¹⁵, r = 8, p = 1 (about 32 MiB and a tenth of a second).
    static let scryptRounds = 1 << 15
    static let scryptBlockSize = 8
    static let keyByteCount = 32
    static let saltByteCount = 16
    /// What a file may ask of scrypt; outside of it the library ends the process or takes very long.
    static let memoryLimit = 1 << 30

    var format: String
    /// `hkdf-sha256` for a key file, `scrypt` for a passphrase.
    var kdf: String
    var salt: Data
    var rounds: Int?
    var blockSize: Int?
    /// AES-256-GCM: nonce 12 ‖ ciphertext ‖ tag 16.
    var sealed: Data

    /// What opens the file.
    enum Key {
        case file([UInt8])
        case passphrase(String)
    }

    static func seal(_ secret: [UInt8], purpose: String, key: Key) throws -> [UInt8] {
        let salt = Data(SystemRandomNumberGenerator.bytes(saltByteCount))
        var file = SealedFile(format: format, kdf: "", salt: salt, sealed: Data())
        switch key {
        case .file: file.kdf = "hkdf-sha256"
        case .passphrase:
            file.kdf = "scrypt"
            file.rounds = scryptRounds
            file.blockSize = scryptBlockSize
        }
        let box = try AES.GCM.seal(
            Data(secret), using: try file.derivedKey(key), authenticating: Data("\(format):\(purpose)".utf8))
        guard let combined = box.combined else {
            throw LedgerError(.inputOutput, "the key file could not be sealed")
        }
        file.sealed = combined
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        return Array(try encoder.encode(file))
    }

    /// Error: `wrongSealingKey` when the key does not fit or the file was changed; `invalidInput` when it is no sealed file.
    static func open(_ bytes: [UInt8], purpose: String, key: Key, path: String) throws -> [UInt8] {
        let file: SealedFile
        do {
            file = try JSONDecoder().decode(SealedFile.self, from: Data(bytes))
        } catch {
            throw LedgerError(.invalidInput, "\(path) is not a sealed key file", cause: error)
        }
        guard file.format == format else {
            throw LedgerError(.invalidInput, "\(path): sealed file format \(file.format) is not \(format)")
        }
        switch (key, file.kdf) {
        case (.file, "hkdf-sha256"), (.passphrase, "scrypt"): break
        case (_, "hkdf-sha256"):
            throw LedgerError(.wrongSealingKey, "\(path) is sealed with a key file, but a passphrase was given")
        case (_, "scrypt"):
            throw LedgerError(.wrongSealingKey, "\(path) is sealed with a passphrase, but a key file was given")
        default:
            throw LedgerError(.invalidInput, "\(path): unknown key derivation \(file.kdf)")
        }
        guard file.salt.count == saltByteCount, file.areCostsAcceptable else {
            throw LedgerError(.invalidInput, "\(path): the salt or the costs of the key derivation are out of range")
        }
        do {
            let box = try AES.GCM.SealedBox(combined: file.sealed)
            return Array(
                try AES.GCM.open(
                    box, using: try file.derivedKey(key), authenticating: Data("\(format):\(purpose)".utf8)))
        } catch {
            throw LedgerError(
                .wrongSealingKey, "\(path) cannot be opened: the sealing key is wrong, or the file was changed",
                cause: error)
        }
    }

    private var areCostsAcceptable: Bool {
        let rounds = rounds ?? Self.scryptRounds
        let blockSize = blockSize ?? Self.scryptBlockSize
        guard (2...1 << 20).contains(rounds), rounds.nonzeroBitCount == 1, (1...32).contains(blockSize) else {
            return false
        }
        return 128 * rounds * blockSize <= Self.memoryLimit
    }

    private func derivedKey(_ key: Key) throws -> SymmetricKey {
        switch key {
        case .file(let bytes):
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: bytes), salt: salt, info: Data(SealedFile.format.utf8),
                outputByteCount: SealedFile.keyByteCount)
        case .passphrase(let text):
            try KDF.Scrypt.deriveKey(
                from: Data(text.utf8), salt: salt, outputByteCount: SealedFile.keyByteCount,
                rounds: rounds ?? SealedFile.scryptRounds, blockSize: blockSize ?? SealedFile.scryptBlockSize,
                parallelism: 1)
        }
    }
}

extension SystemRandomNumberGenerator {
    /// Cryptographically secure random bytes.
    static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { SystemCalls.fillRandomly($0) }
        return bytes
    }
}
