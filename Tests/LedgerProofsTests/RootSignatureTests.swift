import Crypto
import LedgerProofs
import Testing

@Suite struct RootSignatureTests {
    static let root = SHA256Hashing.digest(utf8: "root")

    @Test func signsTheRootItself() throws {
        let key = P384.Signing.PrivateKey()
        let publicKey = SigningPublicKey.p384(key.publicKey)
        let der = try RootSignature.sign(root: Self.root, key: key)
        #expect(RootSignature.verify(der: der, root: Self.root, publicKey: publicKey) == .verified(Self.root))
        let other = RootSignature.verify(der: der, root: .zero, publicKey: publicKey)
        #expect(other.findings.map(\.code) == [.signatureInvalid])
        // Hashing the root once more, or with SHA-384, is another signature.
        let hashedAgain = try key.signature(for: SHA256.hash(data: Self.root.bytes)).derRepresentation
        #expect(!RootSignature.verify(der: Array(hashedAgain), root: Self.root, publicKey: publicKey).isVerified)
        let sha384 = try key.signature(for: Self.root.bytes).derRepresentation
        #expect(!RootSignature.verify(der: Array(sha384), root: Self.root, publicKey: publicKey).isVerified)
        let raw = try key.signature(for: PrehashedSHA256(Self.root)).rawRepresentation
        #expect(!RootSignature.verify(der: Array(raw), root: Self.root, publicKey: publicKey).isVerified)
        #expect(!RootSignature.verify(der: der + [0], root: Self.root, publicKey: publicKey).isVerified)
        #expect(!RootSignature.verify(der: [], root: Self.root, publicKey: publicKey).isVerified)
    }

    @Test func everyCurveVerifies() throws {
        let p256 = P256.Signing.PrivateKey()
        let p521 = P521.Signing.PrivateKey()
        let digest = PrehashedSHA256(Self.root)
        #expect(
            RootSignature.verify(
                der: Array(try p256.signature(for: digest).derRepresentation), root: Self.root,
                publicKey: .p256(p256.publicKey)
            ).isVerified)
        #expect(
            RootSignature.verify(
                der: Array(try p521.signature(for: digest).derRepresentation), root: Self.root,
                publicKey: .p521(p521.publicKey)
            ).isVerified)
    }

    @Test func keysAreReadFromPEM() throws {
        let key = P256.Signing.PrivateKey().publicKey
        #expect(try SigningPublicKey(pem: key.pemRepresentation) == .p256(key))
        #expect(try SigningPublicKey(pem: key.pemRepresentation).derRepresentation == Array(key.derRepresentation))
        #expect(throws: ProofError.self) { try SigningPublicKey(pem: "nonsense") }
        let rsa = """
            -----BEGIN PUBLIC KEY-----
            MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAkTbF3yohL0THnQL1fDB/
            Qo+bR+0a4YERUCh6g/iqcqtW9A9OD7zmHQVBgHna/BRvam4YRSJWr2gINLcwPBq6
            LGBshG9nbUkO2LA6HUzg7wMyCz0G5Kg3VLOem82+9aCkcPDE2UeCt000ec6oYha8
            lJ+VeEh6fVR2rsrMgjy2S2nq7CwxDscfBPZ1Bci4YVqaEjysizhScCHRGbATVVV3
            ahwUytUHvCeKDNcQos3iO30en7BTGd+aliG0d7qM05ZXnug7+tpvtyincREu5DAh
            msH3Wk6JdLKuAUF659rYsbPKDMN/4YZ48804HT5zpuqSV2ncad8pTCMfeznX+bH7
            lQIDAQAB
            -----END PUBLIC KEY-----
            """
        #expect(throws: ProofError(code: .unsupported, reason: "")) { try SigningPublicKey(pem: rsa) }
    }
}
