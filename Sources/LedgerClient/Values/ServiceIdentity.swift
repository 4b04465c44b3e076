/// The answer of the identity endpoint (API spec D.1). Not proved: compare the certificate with what you expect.
public struct ServiceIdentity: Hashable, Sendable {
    public var ledgerID: String
    public var certificatePEM: String
}
