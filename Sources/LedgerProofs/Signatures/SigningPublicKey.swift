import Crypto
import SwiftASN1
import X509

/// A public key that can sign roots or endorse certificates: ECDSA on one of three curves. Everything else,
/// RSA for example, is refused when it is read.
public enum SigningPublicKey: Sendable {
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case p521(P521.Signing.PublicKey)

    /// The subject key of a PEM certificate. Nothing about the certificate is verified.
    /// - Throws: `ProofError.malformed` for unreadable text, `.unsupported` for another kind of key.
    public init(certificatePEM: String) throws(ProofError) {
        try self.init(Certificate.reading(pem: certificatePEM).publicKey)
    }

    /// A PEM public key (label `PUBLIC KEY`).
    /// - Throws: `ProofError.malformed` for unreadable text, `.unsupported` for another kind of key.
    public init(pem: String) throws(ProofError) {
        try self.init(der: PEM.decode(pem, label: "PUBLIC KEY"))
    }

    /// A DER SubjectPublicKeyInfo.
    /// - Throws: `ProofError.malformed` for unreadable bytes, `.unsupported` for another kind of key.
    public init(der: [UInt8]) throws(ProofError) {
        let key: Certificate.PublicKey
        do {
            key = try Certificate.PublicKey(derEncoded: der)
        } catch let error as CertificateError where error.code == .unsupportedPublicKeyAlgorithm {
            throw .unsupported("the public key is not an ECDSA key on P-256, P-384 or P-521")
        } catch {
            throw .malformed("the bytes are not a DER public key")
        }
        try self.init(key)
    }

    init(_ key: Certificate.PublicKey) throws(ProofError) {
        if let key = P384.Signing.PublicKey(key) {
            self = .p384(key)
        } else if let key = P256.Signing.PublicKey(key) {
            self = .p256(key)
        } else if let key = P521.Signing.PublicKey(key) {
            self = .p521(key)
        } else {
            throw .unsupported("the public key is not an ECDSA key on P-256, P-384 or P-521")
        }
    }

    /// The DER SubjectPublicKeyInfo with the uncompressed point.
    public var derRepresentation: [UInt8] {
        switch self {
        case .p256(let key): Array(key.derRepresentation)
        case .p384(let key): Array(key.derRepresentation)
        case .p521(let key): Array(key.derRepresentation)
        }
    }

    /// 64 lower-case digits: SHA-256 of the DER SubjectPublicKeyInfo. The node id of a node key, and the key id
    /// (`kid`) of a service key.
    public var nodeID: String { SHA256Hashing.digest(derRepresentation).hex }

    /// `r ‖ s` of a DER signature by a key of this curve.
    /// - Throws: when `der` is something else.
    func rawSignature(der: [UInt8]) throws -> [UInt8] {
        switch self {
        case .p256: Array(try P256.Signing.ECDSASignature(derRepresentation: der).rawRepresentation)
        case .p384: Array(try P384.Signing.ECDSASignature(derRepresentation: der).rawRepresentation)
        case .p521: Array(try P521.Signing.ECDSASignature(derRepresentation: der).rawRepresentation)
        }
    }

    /// Whether `raw` (`r ‖ s`) signs `digest`.
    /// - Throws: when `raw` is not of the length that the curve demands.
    func isValid(raw: UnsafeRawBufferPointer, digest: some Digest) throws -> Bool {
        switch self {
        case .p256(let key): key.isValidSignature(try .init(rawRepresentation: raw), for: digest)
        case .p384(let key): key.isValidSignature(try .init(rawRepresentation: raw), for: digest)
        case .p521(let key): key.isValidSignature(try .init(rawRepresentation: raw), for: digest)
        }
    }

    /// Whether the COSE signature `r ‖ s` signs these bytes; `nil` when the algorithm is not of the key's curve.
    /// - Throws: when the signature is not of the length that the curve demands.
    func isValid(cose signature: [UInt8], algorithm: Int64, signed bytes: [UInt8]) throws -> Bool? {
        try signature.withUnsafeBytes { raw in
            switch (self, algorithm) {
            case (.p256, COSELabel.es256): try isValid(raw: raw, digest: SHA256.hash(data: bytes))
            case (.p384, COSELabel.es384): try isValid(raw: raw, digest: SHA384.hash(data: bytes))
            case (.p521, COSELabel.es512): try isValid(raw: raw, digest: SHA512.hash(data: bytes))
            default: nil
            }
        }
    }

    /// The number of bytes of a raw `r ‖ s` signature.
    var rawSignatureByteCount: Int {
        switch self {
        case .p256: 64
        case .p384: 96
        case .p521: 132
        }
    }
}

extension SigningPublicKey: Hashable {
    public static func == (a: SigningPublicKey, b: SigningPublicKey) -> Bool {
        a.derRepresentation == b.derRepresentation
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(derRepresentation)
    }
}
