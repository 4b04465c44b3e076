import Foundation
import JWTKit
import LedgerAPI
import LedgerProofs
import Logging

/// Fetches a document. Supplied by the program, so that this module needs no HTTP client.
public typealias DocumentFetch = @Sendable (URL) async throws -> [UInt8]

/// The signing keys of one issuer: fetched when first needed, again when old, when a token names an unknown key or when
/// its signature does not fit the known one, and kept when the issuer cannot be reached.
actor IssuerKeys {
    /// Older keys are fetched again in the background.
    static let maximumAge: Int64 = 3600
    /// The least time between two attempts, so that made-up key ids cannot make us hammer the issuer.
    static let minimumInterval: Int64 = 10
    static let documentByteLimit = 1 << 20
    static let keyLimit = 100

    /// What checks a signature, and of which fetch it is.
    struct Verifier {
        let algorithm: any JWTAlgorithm
        let fetch: Int
    }

    private struct Key {
        var kid: String?
        var type: String
        var curve: String?
        var algorithm: String?
        /// The public members only, as JSON.
        var json: String
    }

    private let issuer: TokenIssuer
    private let fetch: DocumentFetch
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private var keys: [Key] = []
    /// Made from `keys` when first used; cleared with them.
    private var verifiers: [ExactText: any JWTAlgorithm] = [:]
    private var fetchedAt: Int64?
    /// How often the keys were fetched.
    private var fetchCount = 0
    private var lastAttempt: Int64?
    private var isFetching = false
    /// Each is resumed once: whoever takes it out resumes it.
    private var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    private var lastWaiter: UInt64 = 0

    init(issuer: TokenIssuer, fetch: @escaping DocumentFetch, now: @escaping @Sendable () -> Int64, logger: Logger) {
        self.issuer = issuer
        self.fetch = fetch
        self.now = now
        self.logger = logger
    }

    /// The verifier for a token's `kid` and `alg`. `algorithm` must be one of `SignatureAlgorithm`.
    func verifier(kid: String?, algorithm: SignatureAlgorithm) async throws -> Verifier {
        var hasAsked = false
        if fetchedAt == nil {
            try await refresh()
            hasAsked = true
        } else if let fetchedAt, hasPassed(Self.maximumAge + 1, since: fetchedAt), mayAttempt {
            Task { try? await self.refresh() }
        }
        if let found = try await find(kid: kid, algorithm: algorithm) { return found }
        if !hasAsked {
            // The key may be new. While the issuer must not be asked again, or cannot be, nobody knows.
            guard mayAttempt || isFetching else {
                // Asking again does not make a key fit another algorithm.
                if let kid, keys.contains(where: { $0.kid.map { ExactText($0) } == ExactText(kid) }) {
                    throw Self.notPublished(for: algorithm)
                }
                let wait = Self.minimumInterval - (now() - (lastAttempt ?? now()))
                throw TokenError(
                    "the token names a signing key that is not known yet; the issuer is asked again in a moment",
                    kind: .issuerUnavailable, retryAfter: Int(max(1, min(wait, Self.minimumInterval))))
            }
            try await refresh()
            if let found = try await find(kid: kid, algorithm: algorithm) { return found }
        }
        throw Self.notPublished(for: algorithm)
    }

    /// After a signature did not fit `used`: the verifier of keys that were fetched later, now if the issuer may be asked
    /// again. An issuer may replace a key without a new id. `nil` when there is nothing newer. Error: cancellation.
    func verifier(
        kid: String?, algorithm: SignatureAlgorithm, after used: Verifier
    ) async throws -> Verifier? {
        if fetchCount == used.fetch {
            guard mayAttempt || isFetching else { return nil }
            do {
                try await refresh()
            } catch is TokenError {
                return nil
            }
        }
        guard fetchCount != used.fetch else { return nil }
        return try await find(kid: kid, algorithm: algorithm)
    }

    private static func notPublished(for algorithm: SignatureAlgorithm) -> TokenError {
        TokenError("the token names a signing key that the issuer does not publish for \(algorithm.rawValue)")
    }

    private var mayAttempt: Bool { lastAttempt.map { hasPassed(Self.minimumInterval, since: $0) } ?? true }

    /// A clock that was set back says nothing about how much time has passed: it may as well be enough.
    private func hasPassed(_ seconds: Int64, since time: Int64) -> Bool {
        let passed = now() - time
        return passed < 0 || passed >= seconds
    }

    private func find(kid: String?, algorithm: SignatureAlgorithm) async throws -> Verifier? {
        let suitable = keys.filter { key in
            (kid == nil || key.kid.map { ExactText($0) } == kid.map { ExactText($0) }) && key.type == algorithm.keyType
                && (key.algorithm == nil || key.algorithm == algorithm.rawValue)
                && (algorithm.curve == nil || key.curve == algorithm.curve)
        }
        // Without a key id the choice must be without doubt.
        guard let key = suitable.first, kid != nil || suitable.count == 1 else { return nil }
        let name = ExactText("\(algorithm.rawValue) \(key.json)")
        let fetch = fetchCount
        if let known = verifiers[name] { return Verifier(algorithm: known, fetch: fetch) }
        let identifier = JWKIdentifier(string: "key")
        do {
            let jwk = try JWK(json: key.json)
            let made = try await JWTKeyCollection().add(jwk: jwk).getKey(for: identifier, alg: algorithm.rawValue)
            if fetchCount == fetch { verifiers[name] = made }
            return Verifier(algorithm: made, fetch: fetch)
        } catch {
            throw TokenError("the issuer's signing key is unusable")
        }
    }

    private static let notAvailable = TokenError(
        "the token issuer's keys are not available", kind: .issuerUnavailable)

    /// All who come while the keys are being fetched wait for that and are told the same. Who is cancelled stops waiting; the
    /// fetch goes on, so that nobody can keep the keys from the others by leaving.
    private func refresh() async throws {
        if !isFetching {
            guard mayAttempt else { throw Self.notAvailable }
            lastAttempt = now()
            isFetching = true
            Task { await self.fetchKeys() }
        }
        lastWaiter += 1
        let waiter = lastWaiter
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    waiters[waiter] = continuation
                }
            }
        } onCancel: {
            Task { await self.leave(waiter) }
        }
    }

    private func leave(_ waiter: UInt64) {
        waiters.removeValue(forKey: waiter)?.resume(throwing: CancellationError())
    }

    private func fetchKeys() async {
        let outcome: Result<Void, any Error>
        do {
            try await load()
            outcome = .success(())
        } catch {
            logger.warning(
                "the keys of a token issuer could not be fetched",
                metadata: [
                    "issuer": "\(issuer.issuer)", "error": "\(error)",
                ])
            outcome = .failure(Self.notAvailable)
        }
        isFetching = false
        let waiting = waiters.values
        waiters = [:]
        for waiter in waiting { waiter.resume(with: outcome) }
    }

    private func load() async throws {
        let document = try await json(issuer.documentURL)
        guard let name = document["issuer"]?.stringValue, ExactText.same(name, issuer.issuer) else {
            throw TokenError("the discovery document names another issuer")
        }
        guard let keysURL = document["jwks_uri"]?.stringValue else {
            throw TokenError("the discovery document lacks jwks_uri")
        }
        guard !issuer.documentURL.hasPrefix("https:") || keysURL.hasPrefix("https:") else {
            throw TokenError("jwks_uri is not an https address")
        }
        guard let list = try await json(keysURL)["keys"]?.arrayValue else {
            throw TokenError("the key document lacks the array keys")
        }
        let fresh = list.prefix(Self.keyLimit).compactMap(Self.key)
        guard !fresh.isEmpty else { throw TokenError("the key document has no usable signing key") }
        keys = fresh
        verifiers = [:]
        fetchCount += 1
        fetchedAt = now()
    }

    private func json(_ address: String) async throws -> JSONValue {
        guard let url = URL(string: address) else { throw TokenError("an address of the issuer is malformed") }
        let bytes = try await fetch(url)
        guard bytes.count <= Self.documentByteLimit else { throw TokenError("a document of the issuer is too large") }
        return try JSONValue(json: bytes)
    }

    /// The public part of a signing key; `nil` for encryption keys, symmetric keys, short RSA keys and the unknown.
    private static func key(_ value: JSONValue) -> Key? {
        guard let type = value["kty"]?.stringValue, (value["use"]?.stringValue ?? "sig") == "sig" else { return nil }
        let members: [String]
        switch type {
        case "RSA":
            // 2048 bits are 342 characters of base64url.
            guard let modulus = value["n"]?.stringValue, modulus.utf8.count >= 342 else { return nil }
            members = ["n", "e"]
        case "EC": members = ["crv", "x", "y"]
        case "OKP": members = ["crv", "x"]
        default: return nil
        }
        var json: [(name: String, value: JSONValue)] = [("kty", .string(type)), ("kid", "key")]
        for member in members {
            guard let text = value[member]?.stringValue else { return nil }
            json.append((member, .string(text)))
        }
        return Key(
            kid: value["kid"]?.stringValue, type: type, curve: value["crv"]?.stringValue,
            algorithm: value["alg"]?.stringValue,
            json: String(decoding: JSONValue.object(json).encoded(), as: UTF8.self))
    }
}
