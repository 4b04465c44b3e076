import Crypto

/// What checks signatures of one public key.
protocol SignatureChecker {
    var key: SigningPublicKey { get }
    /// That of `key`.
    var nodeID: String { get }
    /// Whether `raw` (`r ‖ s`) signs `digest`.
    /// - Throws: when `raw` is not of the length that the key's curve demands.
    func isValid(raw: UnsafeRawBufferPointer, digest: some Digest) throws -> Bool
}

extension RecurringKey: SignatureChecker {}

extension SigningPublicKey: SignatureChecker {
    var key: SigningPublicKey { self }

    func isValid(raw: UnsafeRawBufferPointer, digest: some Digest) throws -> Bool {
        switch self {
        case .p256(let key): key.isValidSignature(try .init(rawRepresentation: raw), for: digest)
        case .p384(let key): key.isValidSignature(try .init(rawRepresentation: raw), for: digest)
        case .p521(let key): key.isValidSignature(try .init(rawRepresentation: raw), for: digest)
        }
    }
}
