import LedgerProofs
import Testing

/// The numbers are those of Documentation/spec/application-claims.md.
@Suite struct ApplicationClaimTests {
    static let key = [UInt8](repeating: 1, count: 32)
    static let value = "9d60046495d7aeea68fdc3d5756fef9ec910327bddd363e925076a52b5c335c6"

    static func entry(_ collection: String, _ contents: String, key: [UInt8] = key) -> ApplicationClaim {
        .ledgerEntry(collectionID: collection, contents: contents, secretKey: key)
    }

    @Test func entryClaim() {
        let claim = Self.entry("subledger:0", "hello")
        #expect(claim.value.hex == Self.value)
        #expect(
            ApplicationClaim.claimsDigest([claim]).hex
                == "f929bb631798f79645d45c5dcc4e79b7d27d23d505b14ff0b85b1e2902af4059")
    }

    @Test func digestClaimStandsInForTheEntry() throws {
        let value = try #require(Digest32(hex: Self.value))
        #expect(
            ApplicationClaim.claimsDigest([.digest(protocol: "LedgerEntryV1", value: value)])
                == ApplicationClaim.claimsDigest([Self.entry("subledger:0", "hello")]))
    }

    @Test func documentationVector() throws {
        let key = try #require(Base64.decode("Jde/VvaIfyrjQ/B19P+UJCBwmcrgN7sERStoyHnYO0M="))
        #expect(
            ApplicationClaim.claimsDigest([Self.entry("subledger:0", "Hello world", key: key)]).hex
                == "d08d8764437d09b2d4d07d52293cddaf40f44a3ea2176a0528819a80002df9f6")
    }

    @Test func twoClaims() throws {
        let value = try #require(Digest32(hex: Self.value))
        #expect(
            ApplicationClaim.claimsDigest([
                .digest(protocol: "LedgerEntryV1", value: value), .digest(protocol: "P", value: .zero),
            ]).hex == "96182112ae8aec593148f403f65acd96d95901506d7ac83c183f8cd4799a8fe1")
    }

    @Test func utf8() {
        #expect(
            ApplicationClaim.claimsDigest([Self.entry("é", "日本\n")]).hex
                == "61a373659754892baba9a5ba06a90733ef1d3f41a60243645191a2397d8c1070")
    }

    @Test func noClaims() {
        #expect(ApplicationClaim.claimsDigest([]) == .zero)
    }
}
