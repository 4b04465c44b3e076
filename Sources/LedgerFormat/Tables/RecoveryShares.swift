/// The row of `public:ccf.internal.recovery_shares` (CCF ledger format 7.5).
public struct RecoveryShares: TableRow {
    /// `tag ‖ iv ‖ ciphertext` of the ledger secret under the wrapping key.
    public var wrappedLatestLedgerSecret: [UInt8]
    /// RSA-OAEP ciphertexts by member id.
    public var encryptedShares: [String: [UInt8]]
    public var previousSecretStoredVersion: UInt64?

    public init(
        wrappedLatestLedgerSecret: [UInt8], encryptedShares: [String: [UInt8]],
        previousSecretStoredVersion: UInt64? = nil
    ) {
        self.wrappedLatestLedgerSecret = wrappedLatestLedgerSecret
        self.encryptedShares = encryptedShares
        self.previousSecretStoredVersion = previousSecretStoredVersion
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "internal.recovery_shares")
        wrappedLatestLedgerSecret = try fields.base64("wrapped_latest_ledger_secret")
        let shares = try JSONFields(try fields.value("encrypted_shares"), row: "encrypted_shares")
        encryptedShares = [:]
        for member in shares.members.keys { encryptedShares[member] = try shares.base64(member) }
        previousSecretStoredVersion = try fields.optionalUnsigned("previous_secret_stored_version")
    }

    public func encoded() -> [UInt8] {
        var shares = JSONObjectBuilder()
        for (member, share) in encryptedShares { shares.set(member, base64: share) }
        var object = JSONObjectBuilder()
        object.set("wrapped_latest_ledger_secret", base64: wrappedLatestLedgerSecret)
        object.set("encrypted_shares", shares.value)
        object.set("previous_secret_stored_version", previousSecretStoredVersion)
        return object.encoded()
    }
}
