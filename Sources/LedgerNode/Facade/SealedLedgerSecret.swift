import LedgerFormat

/// Reads the ledger secret of a stopped or running node from its sealed keys, for offline verification.
public enum SealedLedgerSecret {
    /// Errors: `wrongSealingKey`; `inputOutput` when there are no sealed keys in the directory.
    public static func open(
        inDataDirectory path: String, sealing: NodeConfiguration.Sealing
    ) throws -> LedgerSecret {
        throw LedgerError(.inputOutput, "\(path): sealed keys cannot be read yet")
    }
}
