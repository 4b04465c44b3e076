/// The row of `public:ccf.internal.historical_encrypted_ledger_secret` (CCF ledger format 7.5).
public struct HistoricalEncryptedLedgerSecret: TableRow {
    /// The previous secret, encrypted under the one that follows it.
    public struct Previous: Hashable, Sendable {
        /// `tag ‖ iv ‖ ciphertext`.
        public var encryptedData: [UInt8]
        /// First seqno of that secret.
        public var version: UInt64
        public var previousSecretStoredVersion: UInt64?

        public init(encryptedData: [UInt8], version: UInt64, previousSecretStoredVersion: UInt64? = nil) {
            self.encryptedData = encryptedData
            self.version = version
            self.previousSecretStoredVersion = previousSecretStoredVersion
        }
    }

    public var nextVersion: UInt64?
    public var previousLedgerSecret: Previous?

    public init(nextVersion: UInt64?, previousLedgerSecret: Previous? = nil) {
        self.nextVersion = nextVersion
        self.previousLedgerSecret = previousLedgerSecret
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "internal.historical_encrypted_ledger_secret")
        nextVersion = try fields.optionalUnsigned("next_version")
        if let value = fields.members["previous_ledger_secret"] {
            let inner = try JSONFields(value, row: "previous_ledger_secret")
            previousLedgerSecret = Previous(
                encryptedData: try inner.base64("encrypted_data"), version: try inner.unsigned("version"),
                previousSecretStoredVersion: try inner.optionalUnsigned("previous_secret_stored_version"))
        }
    }

    public func encoded() -> [UInt8] {
        var object = JSONObjectBuilder()
        object.set("next_version", nextVersion)
        if let previous = previousLedgerSecret {
            var inner = JSONObjectBuilder()
            inner.set("encrypted_data", base64: previous.encryptedData)
            inner.set("version", previous.version)
            inner.set("previous_secret_stored_version", previous.previousSecretStoredVersion)
            object.set("previous_ledger_secret", inner.value)
        }
        return object.encoded()
    }
}
