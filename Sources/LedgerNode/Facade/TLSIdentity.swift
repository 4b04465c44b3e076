/// What the TLS listener presents. Changes when the node certificate is renewed; the service key does not.
public struct TLSIdentity: Hashable, Sendable {
    /// The node certificate followed by the service certificate, PEM.
    public var certificateChainPEM: String
    /// PEM, PKCS#8 or SEC1. Never logged.
    public var privateKeyPEM: String

    public init(certificateChainPEM: String, privateKeyPEM: String) {
        self.certificateChainPEM = certificateChainPEM
        self.privateKeyPEM = privateKeyPEM
    }
}
