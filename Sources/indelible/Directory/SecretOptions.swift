import ArgumentParser
import LedgerFormat
import LedgerNode
import LedgerProofs

/// Where the secret of a private ledger comes from, for commands that read directories.
struct SecretOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Take the ledger secret from the sealed keys of this data directory.", valueName: "dir"))
    var secretFrom: String?

    @Option(help: ArgumentHelp("Opens those keys: the sealing key file.", valueName: "file"))
    var sealingKey: String?

    @Option(help: ArgumentHelp("Opens those keys: a file with the passphrase.", valueName: "file"))
    var sealingPassphraseFile: String?

    @Option(help: ArgumentHelp("The ledger secret itself: 32 bytes, or 64 hexadecimal digits.", valueName: "file"))
    var secretFile: String?

    /// The option and path that were given, for messages.
    var source: String {
        secretFile.map { "--secret-file \($0)" } ?? secretFrom.map { "--secret-from \($0)" } ?? ""
    }

    func validate() throws {
        if secretFrom != nil, secretFile != nil {
            throw ValidationError("give --secret-from or --secret-file, not both")
        }
        if secretFrom == nil, sealingKey != nil || sealingPassphraseFile != nil {
            throw ValidationError("--sealing-key and --sealing-passphrase-file need --secret-from")
        }
    }

    /// `.none` when none was asked for. Errors: wrong sealing key, unreadable files.
    func secrets() throws -> LedgerSecrets {
        if let secretFile {
            let bytes = try InputFile.bytes(secretFile, limit: 4_096)
            let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
            guard let secret = LedgerSecret(bytes: bytes) ?? Hex.decode(text).flatMap({ LedgerSecret(bytes: $0) })
            else { throw Failure("\(secretFile): is neither 32 bytes nor 64 hexadecimal digits") }
            return LedgerSecrets(secret)
        }
        guard let secretFrom else { return .none }
        let sealing = try SealingOptions.sealing(keyFile: sealingKey, passphraseFile: sealingPassphraseFile)
        return LedgerSecrets(try SealedLedgerSecret.open(inDataDirectory: secretFrom, sealing: sealing))
    }
}
