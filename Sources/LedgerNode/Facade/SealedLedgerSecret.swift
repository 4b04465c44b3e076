import LedgerFormat

/// Reads the ledger secret of a stopped or running node from its sealed keys, for offline verification.
public enum SealedLedgerSecret {
    /// Changes nothing and takes no lock.
    /// Errors: `wrongSealingKey`, also when the generated key file is not there; `inputOutput` when the directory has
    /// no sealed keys.
    public static func open(
        inDataDirectory path: String, sealing: NodeConfiguration.Sealing
    ) throws -> LedgerSecret {
        let directory = DataDirectory(path: path)
        guard let stored = try DurableFile.read(directory.keyring, limit: 1 << 20) else {
            throw LedgerError(.inputOutput, "\(path): has no sealed keys (\(directory.keyring) is missing)")
        }
        let key: SealedFile.Key
        switch sealing {
        case .passphrase(let text): key = .passphrase(text)
        case .key(let bytes): key = .file(bytes)
        case .generatedKeyFile:
            guard let bytes = try DurableFile.read(directory.sealingKey, limit: 4_096) else {
                throw LedgerError(
                    .wrongSealingKey,
                    "the keys in \(directory.keyring) are sealed; give the sealing key file or passphrase")
            }
            key = .file(bytes)
        }
        return try Keyring(opening: stored, key: key, path: directory.keyring).ledgerSecret
    }
}
