import Crypto
import Foundation
import JWTKit
import LedgerServer
import Synchronization

/// An OpenID Connect issuer inside the test: signs tokens and serves its two documents, until told otherwise.
final class TestIssuer: Sendable {
    struct Claims: JWTPayload {
        var iss: String?
        var aud: [String]?
        var exp: Double?
        var nbf: Double?
        var oid: String?
        var sub: String?
        func verify(using algorithm: some JWTAlgorithm) throws {}
    }

    struct State {
        var documents: [String: String] = [:]
        var isDown = false
        var requests = 0
    }

    struct Down: Error {}

    let name: String
    let state = Mutex(State())
    let time = Mutex<Int64>(1_800_000_000)

    init(name: String = "https://issuer.example") {
        self.name = name
        publish(keys: [])
    }

    func publish(keys: [String]) {
        state.withLock {
            $0.documents["\(name)/.well-known/openid-configuration"] =
                #"{"issuer":"\#(name)","jwks_uri":"\#(name)/keys"}"#
            $0.documents["\(name)/keys"] = #"{"keys":[\#(keys.joined(separator: ","))]}"#
        }
    }

    var requests: Int { state.withLock { $0.requests } }
    func setDown(_ down: Bool) { state.withLock { $0.isDown = down } }
    func advance(_ seconds: Int64) { time.withLock { $0 += seconds } }

    var fetch: DocumentFetch {
        { url in
            try self.state.withLock { state in
                state.requests += 1
                guard !state.isDown, let text = state.documents[url.absoluteString] else { throw Down() }
                return Array(text.utf8)
            }
        }
    }

    var now: @Sendable () -> Int64 { { self.time.withLock { $0 } } }

    func claims(_ change: (inout Claims) -> Void = { _ in }) -> Claims {
        let now = Double(time.withLock { $0 })
        var claims = Claims(
            iss: name, aud: ["https://confidential-ledger.azure.com"], exp: now + 3600, nbf: now - 10,
            oid: "11111111-2222-3333-4444-555555555555", sub: "subject")
        change(&claims)
        return claims
    }

    // MARK: Keys

    static func base64URL(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    static func jwk(_ key: ES256PrivateKey, kid: String, alg: String? = "ES256") -> String {
        let point = key.publicKey.parameters
        func url(_ text: String?) -> String {
            (text ?? "").replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
                .replacingOccurrences(of: "=", with: "")
        }
        let algorithm = alg.map { #","alg":"\#($0)""# } ?? ""
        return
            #"{"kty":"EC","crv":"P-256","kid":"\#(kid)","use":"sig"\#(algorithm),"x":"\#(url(point?.x))","y":"\#(url(point?.y))"}"#
    }

    static func sign(_ claims: Claims, _ key: ES256PrivateKey, kid: String?) async throws -> String {
        let keys = JWTKeyCollection()
        await keys.add(ecdsa: key)
        return try await keys.sign(claims, header: kid.map { ["kid": .string($0)] } ?? [:])
    }

    /// A token with any header, signed by nobody unless `signature` says so.
    static func forged(header: String, claims: Claims, signature: (String) -> [UInt8]) throws -> String {
        let body = base64URL(Data(header.utf8)) + "." + base64URL(try JSONEncoder().encode(claims))
        return body + "." + base64URL(signature(body))
    }
}
