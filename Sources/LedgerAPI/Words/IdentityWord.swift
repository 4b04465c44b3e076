/// The answer of the identity endpoint (API spec D.1).
public struct IdentityWord: Hashable, Sendable, Codable {
    /// The service certificate, PEM.
    public var ledgerTlsCertificate: String
    public var ledgerId: String

    public init(ledgerTlsCertificate: String, ledgerId: String) {
        self.ledgerTlsCertificate = ledgerTlsCertificate
        self.ledgerId = ledgerId
    }

    public var json: JSONValue {
        ["ledgerTlsCertificate": .string(ledgerTlsCertificate), "ledgerId": .string(ledgerId)]
    }
}
