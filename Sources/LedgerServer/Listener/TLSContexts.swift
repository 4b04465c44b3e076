import LedgerNode
import NIOCore
import NIOSSL
import Synchronization

/// The TLS context for new connections. Replaced when the node certificate is renewed; connections that exist
/// keep the one they began with.
final class TLSContexts: Sendable {
    // Guarded by the lock: the context is replaced whole.
    private let context: Mutex<NIOSSLContext>

    init(_ identity: TLSIdentity) throws {
        self.context = Mutex(try Self.makeContext(identity))
    }

    var current: NIOSSLContext { context.withLock { $0 } }

    /// From now on new connections are shown this identity.
    func replace(with identity: TLSIdentity) throws {
        let new = try Self.makeContext(identity)
        context.withLock { $0 = new }
    }

    private static func makeContext(_ identity: TLSIdentity) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificateChainPEM.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(identity.privateKeyPEM.utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv13
        configuration.maximumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["h2", "http/1.1"]
        // Ask for a certificate, accept none. What is presented goes to `acceptAny`, never to a trust store.
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .certificates([])
        configuration.verifySignatureAlgorithms = [
            .ecdsaSecp256R1Sha256, .ecdsaSecp384R1Sha384, .ecdsaSecp521R1Sha512, .ed25519,
            .rsaPssRsaeSha256, .rsaPssRsaeSha384, .rsaPssRsaeSha512,
        ]
        // How long a closing connection waits for the peer to agree.
        configuration.shutdownTimeout = .seconds(2)
        return try NIOSSLContext(configuration: configuration)
    }

    /// The handshake itself proves possession of the key; the fingerprint is the identity.
    static func acceptAny(_: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResult>) {
        promise.succeed(.certificateVerified)
    }
}
