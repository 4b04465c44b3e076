import Crypto
import Foundation
import JWTKit
import LedgerNode
import Logging
import Testing

@testable import LedgerServer

@Suite struct TokenVerifierTests {
    let issuer = TestIssuer()
    let key = ES256PrivateKey()

    func verifier(issuers: [TokenIssuer]? = nil) -> TokenVerifier {
        TokenVerifier(
            issuers: issuers ?? [TokenIssuer(issuer: issuer.name)],
            audiences: ["https://confidential-ledger.azure.com"], clockSkew: .seconds(60), fetch: issuer.fetch,
            now: issuer.now, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func refusal(_ verifier: TokenVerifier, _ token: String) async -> String {
        do {
            return "accepted as \(try await verifier.identity(of: token).userID)"
        } catch {
            return "\(error)"
        }
    }

    @Test func acceptsAndCaches() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        let verifier = verifier()
        let token = try await TestIssuer.sign(issuer.claims(), key, kid: "a")
        let identity = try await verifier.identity(of: token)
        #expect(identity == Identity(userID: "11111111-2222-3333-4444-555555555555", method: .token))
        #expect(issuer.requests == 2)
        _ = try await verifier.identity(of: token)
        #expect(issuer.requests == 2)
        issuer.advance(3600 + 59)
        _ = try await verifier.identity(of: token)
        issuer.advance(2)
        #expect(await refusal(verifier, token).contains("expired"))
    }

    /// What a connection remembers stands for that token only, and only until it expires.
    @Test func aConnectionRemembersItsLastToken() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        let verifier = verifier()
        let last = LastToken()
        let first = try await TestIssuer.sign(issuer.claims { $0.oid = "first" }, key, kid: "a")
        let second = try await TestIssuer.sign(
            issuer.claims {
                $0.oid = "second"
                $0.exp = ($0.exp ?? 0) + 600
            }, key, kid: "a")
        #expect(try verifier.knownIdentity(of: first[...], last: last) == nil)
        for token in [first, second] { _ = try await verifier.identity(of: token) }
        for _ in 0..<2 {
            #expect(try verifier.knownIdentity(of: first[...], last: last)?.userID == "first")
            #expect(try verifier.knownIdentity(of: first[...], last: last)?.userID == "first")
            #expect(try verifier.knownIdentity(of: second[...], last: last)?.userID == "second")
        }
        #expect(try verifier.knownIdentity(of: second.dropLast(), last: last) == nil)
        #expect(try verifier.knownIdentity(of: (second + "A")[...], last: last) == nil)
        #expect(try verifier.knownIdentity(of: first[...], last: last)?.userID == "first")
        issuer.advance(3600 + 61)
        #expect(try verifier.knownIdentity(of: first[...], last: last) == nil)
        #expect(try verifier.knownIdentity(of: second[...], last: last)?.userID == "second")
    }

    @Test func keyWithoutAlgorithmAndSubjectClaim() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a", alg: nil)])
        let token = try await TestIssuer.sign(issuer.claims { $0.oid = nil }, key, kid: "a")
        #expect(try await verifier().identity(of: token).userID == "subject")
        let entra = verifier(issuers: [TokenIssuer(issuer: issuer.name, userIDClaims: ["oid"])])
        #expect(await refusal(entra, token).contains("oid"))
    }

    @Test func rsaKeys() async throws {
        let privateKey = try Insecure.RSA.PrivateKey(pem: try Self.rsaPEM())
        let numbers = try privateKey.publicKey.getKeyPrimitives()
        let jwk =
            #"{"kty":"RSA","kid":"r","n":"\#(TestIssuer.base64URL(numbers.modulus))","e":"\#(TestIssuer.base64URL(numbers.publicExponent))"}"#
        issuer.publish(keys: [jwk])
        for digest in [DigestAlgorithm.sha256, .sha384, .sha512] {
            let keys = JWTKeyCollection()
            await keys.add(rsa: privateKey, digestAlgorithm: digest, kid: "r")
            let token = try await keys.sign(issuer.claims(), kid: "r", header: ["kid": "r"])
            #expect(await refusal(verifier(), token).contains("accepted"))
            let pss = JWTKeyCollection()
            await pss.add(pss: privateKey, digestAlgorithm: digest, kid: "r")
            let second = try await pss.sign(issuer.claims(), kid: "r", header: ["kid": "r"])
            #expect(await refusal(verifier(), second).contains("accepted"))
        }
        // The modulus as a shared secret: the classic confusion.
        let secret = SymmetricKey(data: Data(numbers.modulus))
        let confused = try TestIssuer.forged(header: #"{"alg":"HS256","kid":"r"}"#, claims: issuer.claims()) { body in
            Array(HMAC<SHA256>.authenticationCode(for: Data(body.utf8), using: secret))
        }
        #expect(await refusal(verifier(), confused).contains("algorithm"))
        // An EC algorithm on an RSA key.
        let mixed = try TestIssuer.forged(header: #"{"alg":"ES256","kid":"r"}"#, claims: issuer.claims()) { _ in
            [UInt8](repeating: 1, count: 64)
        }
        #expect(await refusal(verifier(), mixed).contains("does not publish"))
    }

    static func rsaPEM() throws -> String {
        try _RSAKeyMaker.pem()
    }

    @Test func edDSA() async throws {
        let key = Curve25519.Signing.PrivateKey()
        issuer.publish(keys: [
            #"{"kty":"OKP","crv":"Ed25519","kid":"e","x":"\#(TestIssuer.base64URL(key.publicKey.rawRepresentation))"}"#
        ])
        let token = try TestIssuer.forged(header: #"{"alg":"EdDSA","kid":"e"}"#, claims: issuer.claims()) { body in
            Array((try? key.signature(for: Data(body.utf8))) ?? Data())
        }
        #expect(await refusal(verifier(), token).contains("accepted"))
    }

    @Test func wrongClaims() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        let verifier = verifier()
        let now = Double(issuer.now())
        let cases: [(String, (inout TestIssuer.Claims) -> Void)] = [
            ("audience", { $0.aud = ["https://other.example"] }),
            ("aud", { $0.aud = nil }),
            ("issuer", { $0.iss = "https://issuer.example/" }),
            ("iss", { $0.iss = nil }),
            ("expired", { $0.exp = now - 61 }),
            ("exp", { $0.exp = nil }),
            ("out of range", { $0.exp = -5 }),
            ("not valid yet", { $0.nbf = now + 61 }),
            (
                "none of the claims",
                {
                    $0.oid = nil
                    $0.sub = nil
                }
            ),
            (
                "none of the claims",
                {
                    $0.oid = ""
                    $0.sub = ""
                }
            ),
            ("fingerprint", { $0.oid = PeerCertificate(der: [1, 2, 3]).fingerprint }),
            ("not usable", { $0.oid = "a\u{1}b" }),
            ("accepted", { $0.aud = ["x", "https://confidential-ledger.azure.com/"] }),
            ("accepted", { $0.exp = now - 59 }),
            ("accepted", { $0.nbf = now + 59 }),
            ("accepted", { $0.nbf = nil }),
        ]
        for (words, change) in cases {
            let token = try await TestIssuer.sign(issuer.claims(change), key, kid: "a")
            let result = await refusal(verifier, token)
            #expect(result.contains(words), "wanted \(words), got \(result)")
            #expect(!result.contains(token))
        }
    }

    @Test func forgeries() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        let verifier = verifier()
        let good = try await TestIssuer.sign(issuer.claims(), key, kid: "a")
        let foreign = try await TestIssuer.sign(issuer.claims(), ES256PrivateKey(), kid: "a")
        #expect(await refusal(verifier, foreign).contains("signature is wrong"))
        for header in [
            #"{"alg":"none"}"#, #"{"alg":"None","kid":"a"}"#, #"{"alg":"HS256","kid":"a"}"#, #"{"kid":"a"}"#,
            #"{"alg":["ES256"],"kid":"a"}"#, #"{"alg":"es256","kid":"a"}"#,
        ] {
            let token = try TestIssuer.forged(header: header, claims: issuer.claims()) { _ in [] }
            #expect(await refusal(verifier, token).contains("algorithm"))
        }
        let critical = try TestIssuer.forged(
            header: #"{"alg":"ES256","kid":"a","crit":["x"]}"#, claims: issuer.claims()
        ) {
            _ in []
        }
        #expect(await refusal(verifier, critical).contains("critical"))
        let duplicate = try TestIssuer.forged(
            header: #"{"alg":"none","alg":"ES256","kid":"a"}"#, claims: issuer.claims()
        ) {
            _ in []
        }
        #expect(await refusal(verifier, duplicate).contains("not a signed"))
        for text in ["", "a", "a.b", "a.b.c", "....", good + ".x", String(good.dropLast(3)), good + "=", "é.é.é"] {
            #expect(!(await refusal(verifier, text).contains("accepted")), "\(text)")
        }
        #expect(await refusal(verifier, String(repeating: "a", count: 20_000)).contains("longer"))
        #expect(await refusal(self.verifier(issuers: []), good).contains("no issuer"))
    }

    @Test func rotation() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        let verifier = verifier()
        _ = try await verifier.identity(of: try await TestIssuer.sign(issuer.claims(), key, kid: "a"))
        let next = ES256PrivateKey()
        issuer.publish(keys: [TestIssuer.jwk(next, kid: "b")])
        let token = try await TestIssuer.sign(issuer.claims(), next, kid: "b")
        // Too soon after the last attempt: not known, which is no refusal.
        let early = await #expect(throws: TokenError.self) { try await verifier.identity(of: token) }
        #expect(early?.kind == .issuerUnavailable && early?.retryAfter == Int(IssuerKeys.minimumInterval))
        issuer.advance(IssuerKeys.minimumInterval)
        #expect(await refusal(verifier, token).contains("accepted"))
        // Made-up key ids cost at most one round in the interval.
        let before = issuer.requests
        for i in 0..<20 {
            let bad = try await TestIssuer.sign(issuer.claims(), next, kid: "made-up-\(i)")
            #expect(await refusal(verifier, bad).contains("not known yet"))
        }
        #expect(issuer.requests <= before + 2)
        issuer.advance(IssuerKeys.minimumInterval)
        let bad = try await TestIssuer.sign(issuer.claims(), next, kid: "made-up")
        #expect(await refusal(verifier, bad).contains("does not publish"))
    }

    /// An issuer with one key may replace it without a new id, or have no ids at all.
    @Test(arguments: ["a", nil] as [String?]) func aKeyThatWasReplacedUnderTheSameID(_ kid: String?) async throws {
        func jwk(_ key: ES256PrivateKey) -> String {
            let text = TestIssuer.jwk(key, kid: "a")
            return kid == nil ? text.replacing(#""kid":"a","#, with: "") : text
        }
        issuer.publish(keys: [jwk(key)])
        let verifier = verifier()
        _ = try await verifier.identity(of: try await TestIssuer.sign(issuer.claims(), key, kid: kid))
        let next = ES256PrivateKey()
        issuer.publish(keys: [jwk(next)])
        let token = try await TestIssuer.sign(issuer.claims(), next, kid: kid)
        // The issuer is not asked too often, whatever the signatures.
        for _ in 0..<20 { #expect(await refusal(verifier, token).contains("signature is wrong")) }
        #expect(issuer.requests == 2)
        issuer.advance(IssuerKeys.minimumInterval)
        #expect(await refusal(verifier, token).contains("accepted"))
        #expect(issuer.requests == 4)
        // The one that was withdrawn opens nothing any more.
        for _ in 0..<3 {
            let old = try await TestIssuer.sign(issuer.claims { $0.oid = "other" }, key, kid: kid)
            #expect(await refusal(verifier, old).contains("signature is wrong"))
        }
        #expect(issuer.requests == 4)
        issuer.setDown(true)
        issuer.advance(IssuerKeys.minimumInterval)
        let forged = try await TestIssuer.sign(issuer.claims(), ES256PrivateKey(), kid: kid)
        for _ in 0..<3 { #expect(await refusal(verifier, forged).contains("signature is wrong")) }
        #expect(issuer.requests == 5)
    }

    /// That is no question of what the issuer may have published since.
    @Test func aKnownKeyOfAnotherAlgorithmIsARefusal() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        let verifier = verifier()
        _ = try await verifier.identity(of: try await TestIssuer.sign(issuer.claims(), key, kid: "a"))
        let token = try TestIssuer.forged(header: #"{"alg":"RS256","kid":"a"}"#, claims: issuer.claims()) { _ in [1] }
        let error = await #expect(throws: TokenError.self) { try await verifier.identity(of: token) }
        #expect(error?.kind == .refused && error?.reason.contains("does not publish") == true)
        #expect(issuer.requests == 2)
    }

    @Test func staleKeysServeWhileTheIssuerIsDown() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        let verifier = verifier()
        _ = try await verifier.identity(of: try await TestIssuer.sign(issuer.claims(), key, kid: "a"))
        issuer.setDown(true)
        issuer.advance(IssuerKeys.maximumAge * 5)
        let token = try await TestIssuer.sign(issuer.claims(), key, kid: "a")
        #expect(await refusal(verifier, token).contains("accepted"))
    }

    @Test func unreachableIssuer() async throws {
        issuer.setDown(true)
        let token = try await TestIssuer.sign(issuer.claims(), key, kid: "a")
        let error = await #expect(throws: TokenError.self) { try await verifier().identity(of: token) }
        #expect(error?.kind == .issuerUnavailable)
    }

    private func verifier(fetch: @escaping DocumentFetch) -> TokenVerifier {
        TokenVerifier(
            issuers: [TokenIssuer(issuer: issuer.name)], audiences: ["https://confidential-ledger.azure.com"],
            clockSkew: .seconds(60), fetch: fetch, now: issuer.now,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Who waits for a fetch that another token began is told the same.
    @Test(.timeLimit(.minutes(1))) func allWhoWaitForAFailingFetchAreToldSo() async throws {
        let slow = verifier { _ in
            try await Task.sleep(for: .milliseconds(300))
            throw TestIssuer.Down()
        }
        let token = try await TestIssuer.sign(issuer.claims(), key, kid: "a")
        try await withThrowingTaskGroup(of: TokenError.Kind?.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    do {
                        _ = try await slow.identity(of: token)
                        return nil
                    } catch let error as TokenError {
                        return error.kind
                    }
                }
            }
            for try await kind in group { #expect(kind == .issuerUnavailable) }
        }
    }

    /// And leaves the fetch to the others.
    @Test(.timeLimit(.minutes(1))) func whoIsCancelledDoesNotWaitForTheIssuer() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let held = verifier { [issuer] url in
            for await _ in gate { break }
            return try await issuer.fetch(url)
        }
        let token = try await TestIssuer.sign(issuer.claims(), key, kid: "a")
        let first = Task { try await held.identity(of: token) }
        try await Task.sleep(for: .milliseconds(100))
        let second = Task { try await held.identity(of: token) }
        try await Task.sleep(for: .milliseconds(100))
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        open.finish()
        #expect(try await second.value.method == .token)
    }

    @Test func aClockThatWasSetBackDoesNotKeepNewKeysOut() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        let verifier = verifier()
        _ = try await verifier.identity(of: try await TestIssuer.sign(issuer.claims(), key, kid: "a"))
        issuer.advance(-3600)
        let next = ES256PrivateKey()
        issuer.publish(keys: [TestIssuer.jwk(next, kid: "b")])
        let token = try await TestIssuer.sign(issuer.claims(), next, kid: "b")
        #expect(await refusal(verifier, token).contains("accepted"))
    }

    @Test func documentOfAnotherIssuerIsRefused() async throws {
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        let alias = TokenIssuer(
            issuer: "https://other.example", discoveryURL: "\(issuer.name)/.well-known/openid-configuration")
        let token = try await TestIssuer.sign(issuer.claims { $0.iss = "https://other.example" }, key, kid: "a")
        #expect(await refusal(verifier(issuers: [alias]), token).contains("not available"))
    }
}
