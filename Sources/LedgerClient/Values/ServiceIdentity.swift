import LedgerAPI

/// The answer of the identity endpoint (API spec D.1). Not proved: compare the certificate with what you expect.
public struct ServiceIdentity: Hashable, Sendable {
    public var ledgerID: String
    /// One PEM block, encoded anew from what the server sent.
    public var certificatePEM: String

    /// Error: `unexpectedResponse` when the answer is not exactly one certificate: whoever compares a fingerprint must
    /// have compared everything that is trusted afterwards.
    init(_ word: IdentityWord, from source: String) throws {
        guard let pem = PEMInput.onlyCertificate(word.ledgerTlsCertificate) else {
            throw LedgerClientError(
                .unexpectedResponse, "\(source): the answer is not exactly one PEM certificate and nothing else")
        }
        ledgerID = word.ledgerId
        certificatePEM = pem
    }
}
