import Foundation
import LedgerNode

/// How the files in `DIR/keys` are opened, from two files that exclude each other.
enum SealingOptions {
    static func sealing(keyFile: String?, passphraseFile: String?) throws -> NodeConfiguration.Sealing {
        if let keyFile, passphraseFile != nil {
            throw Failure("--sealing-key \(keyFile) and --sealing-passphrase-file: give one of them")
        }
        if let keyFile {
            let bytes = try InputFile.bytes(keyFile, limit: 1 << 20)
            guard bytes.count >= 16 else { throw Failure("\(keyFile): a sealing key has at least 16 bytes") }
            return .key(bytes)
        }
        if let passphraseFile {
            var text = Substring(try InputFile.smallText(passphraseFile))
            while text.last?.isNewline == true { text.removeLast() }
            guard !text.isEmpty else { throw Failure("\(passphraseFile): holds no passphrase") }
            return .passphrase(String(text))
        }
        return .generatedKeyFile
    }
}
