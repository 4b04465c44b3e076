import Foundation
import JWTKit
import LedgerAPI
import LedgerNode
import LedgerProofs
import Logging

/// Turns a bearer token into an identity, or says what is wrong with it (API spec B.2).
final class TokenVerifier: Sendable {
    /// Longer tokens are refused unread.
    static let tokenByteLimit = 16 << 10

    private let issuers: [ExactText: (issuer: TokenIssuer, keys: IssuerKeys)]
    private let audiences: Set<ExactText>
    private let skew: Int64
    private let now: @Sendable () -> Int64
    private let cache = VerifiedTokens(limit: 10_000)

    init(
        issuers: [TokenIssuer], audiences: [String], clockSkew: Duration, fetch: @escaping DocumentFetch,
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }, logger: Logger
    ) {
        self.issuers = Dictionary(
            issuers.map {
                (ExactText($0.issuer), ($0, IssuerKeys(issuer: $0, fetch: fetch, now: now, logger: logger)))
            },
            uniquingKeysWith: { first, _ in first })
        self.audiences = Set(audiences.map { ExactText(Self.withoutFinalSlash($0)) })
        self.skew = clockSkew.components.seconds
        self.now = now
    }

    /// The identity of a token that was verified before and has not expired; `nil` for any other. Throws `TokenError`
    /// for tokens that are refused unread.
    /// - Parameter last: of the connection that the token came on.
    func knownIdentity(of token: Substring, last: LastToken) throws -> Identity? {
        let time = now() - skew
        if let identity = last.identity(of: token, at: time) { return identity }
        try checkLength(token)
        guard let known = cache.find(Self.digest(token), at: time) else { return nil }
        last.remember(token, known)
        return known.identity
    }

    private func checkLength(_ token: Substring) throws {
        guard !issuers.isEmpty else { throw TokenError("bearer tokens are not accepted: no issuer is configured") }
        guard token.utf8.count <= Self.tokenByteLimit else {
            throw TokenError("the token is longer than \(Self.tokenByteLimit) bytes")
        }
    }

    private static func digest(_ token: Substring) -> Digest32 {
        var token = token
        return token.withUTF8 { SHA256Hashing.digest(UnsafeRawBufferPointer($0)) }
    }

    /// Throws `TokenError`.
    func identity(of token: String) async throws -> Identity {
        try checkLength(token[...])
        let digest = Self.digest(token[...])
        let time = now()
        if let known = cache.find(digest, at: time - skew) { return known.identity }

        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.json(parts[0]), let claims = Self.json(parts[1]),
            let signature = Self.base64URL(parts[2])
        else { throw TokenError("the token is not a signed JSON web token") }
        guard let name = header["alg"]?.stringValue, let algorithm = SignatureAlgorithm(rawValue: name) else {
            throw TokenError("the token's signature algorithm is not accepted")
        }
        guard header["crit"] == nil else { throw TokenError("the token has critical header extensions") }
        guard let issuerName = claims["iss"]?.stringValue else { throw TokenError("the token lacks the claim iss") }
        guard let (issuer, keys) = issuers[ExactText(issuerName)] else {
            throw TokenError("the token's issuer (iss) is not one of the configured issuers")
        }
        let kid: String?
        switch header["kid"] {
        case nil: kid = nil
        case .string(let text)?: kid = text
        default: throw TokenError("the token's key id (kid) is not a string")
        }
        let signed = Array(token.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        func fits(_ verifier: IssuerKeys.Verifier) -> Bool {
            (try? verifier.algorithm.verify(signature, signs: signed)) == true
        }
        let verifier = try await keys.verifier(kid: kid, algorithm: algorithm)
        if !fits(verifier) {
            guard let newer = try await keys.verifier(kid: kid, algorithm: algorithm, after: verifier), fits(newer)
            else { throw TokenError("the token's signature is wrong") }
        }
        let expiry = try checkClaims(claims, at: time)
        let identity = try Self.identity(claims, issuer: issuer)
        cache.insert(identity, for: digest, until: expiry, at: time - skew)
        return identity
    }

    /// Returns `exp`.
    private func checkClaims(_ claims: JSONValue, at time: Int64) throws -> Int64 {
        let found: [String]
        switch claims["aud"] {
        case .string(let one)?: found = [one]
        case .array(let list)?: found = list.compactMap(\.stringValue)
        default: throw TokenError("the token lacks the claim aud")
        }
        guard found.contains(where: { audiences.contains(ExactText(Self.withoutFinalSlash($0))) }) else {
            throw TokenError("the token is for another audience (aud)")
        }
        guard let expiry = try Self.time(claims["exp"], "exp") else {
            throw TokenError("the token lacks the claim exp")
        }
        guard time < expiry.addingClamped(skew) else { throw TokenError("the token has expired (exp)") }
        if let start = try Self.time(claims["nbf"], "nbf"), time < start.addingClamped(-skew) {
            throw TokenError("the token is not valid yet (nbf)")
        }
        return expiry
    }

    private static func identity(_ claims: JSONValue, issuer: TokenIssuer) throws -> Identity {
        for claim in issuer.userIDClaims {
            guard let id = claims[claim]?.stringValue, !id.isEmpty else { continue }
            guard id.utf8.count <= UserIDRule.byteLimit, UserIDRule.isAcceptable(id) else {
                throw TokenError("the token's claim \(claim) is not usable as a user id")
            }
            // A token must never pass for a certificate.
            guard !UserIDRule.isFingerprint(id) else {
                throw TokenError("the token's claim \(claim) looks like a certificate fingerprint")
            }
            return Identity(userID: id, method: .token)
        }
        throw TokenError("the token has none of the claims \(issuer.userIDClaims.joined(separator: ", "))")
    }

    private static func time(_ value: JSONValue?, _ claim: String) throws -> Int64? {
        switch value {
        case nil: return nil
        case .number(let text)?:
            guard let seconds = Double(text), seconds >= 0, seconds < 1e15 else {
                throw TokenError("the token's claim \(claim) is out of range")
            }
            return Int64(seconds)
        default: throw TokenError("the token's claim \(claim) is not a number")
        }
    }

    private static func withoutFinalSlash(_ text: String) -> String {
        text.utf8.last == UInt8(ascii: "/") ? String(text.dropLast()) : text
    }

    private static func json(_ part: Substring) -> JSONValue? {
        guard let bytes = base64URL(part), let value = try? JSONValue(json: bytes), case .object = value else {
            return nil
        }
        return value
    }

    private static func base64URL(_ part: Substring) -> [UInt8]? { Base64URL.decode(part) }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}
