import CryptoExtras

/// A fresh 2048-bit RSA key, PEM.
enum _RSAKeyMaker {
    static func pem() throws -> String { try _RSA.Signing.PrivateKey(keySize: .bits2048).pemRepresentation }
}
