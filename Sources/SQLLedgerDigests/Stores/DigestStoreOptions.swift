import LedgerClient

/// What a store needs beside its URL. Values only; the caller reads files and the environment.
public struct DigestStoreOptions: Sendable {
    /// The service certificate of a confidential ledger, PEM. Nothing else is trusted.
    public var serviceCertificatePEM: String?
    /// Who writes to a confidential ledger: a certificate or a bearer token.
    public var credential = LedgerClientConfiguration.Credential.none
    /// The collection for a ledger whose URL names none (`DigestCollection`).
    public var defaultCollection: String?
    /// How calls to a ledger are repeated before a store gives up for the moment.
    public var retries = LedgerClientConfiguration.Retries()

    public init() {}
}
