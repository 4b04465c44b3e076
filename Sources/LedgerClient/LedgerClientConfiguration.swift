import Foundation
import LedgerProofs

/// Where a ledger is, what proves that it is that ledger, and who the caller is. Values only: nothing is read
/// from files or the environment here.
public struct LedgerClientConfiguration: Sendable {
    /// Who the caller proves to be. Certificates and tokens have equal rights (API spec B).
    public enum Credential: Sendable {
        /// For endpoints that ask for none: the identity, `/node`, `/health`.
        case none
        /// PEM text with a certificate and its private key (PKCS#8 or SEC1), in any order.
        case certificate(pem: String)
        /// Called before every request; return a cached bearer token when it is still good.
        case token(@Sendable () async throws -> String)
    }

    /// How failed calls are repeated. A POST is always repeated with the same `x-ms-client-request-id`, so that a
    /// write that did take place is not made twice (API spec K.3).
    public struct Retries: Sendable {
        /// All attempts, the first included. At least 1.
        public var attempts: Int
        /// The pause before the second attempt; doubled each time.
        public var firstDelay: Duration
        /// No pause is longer, whatever `Retry-After` says.
        public var longestDelay: Duration

        public init(
            attempts: Int = 5, firstDelay: Duration = .milliseconds(200), longestDelay: Duration = .seconds(10)
        ) {
            self.attempts = max(1, attempts)
            self.firstDelay = firstDelay
            self.longestDelay = longestDelay
        }

        public static let none = Retries(attempts: 1)
    }

    /// Which HTTP versions are offered.
    public enum HTTPVersions: Sendable {
        /// HTTP/2 when the server speaks it, else HTTP/1.1.
        case automatic
        case http1Only
    }

    /// `https://host[:port]`, without a path.
    public var endpoint: String
    /// The service certificate, PEM. Nothing else is trusted, and the host name is checked as well.
    public var serviceCertificatePEM: String
    public var credential: Credential
    public var retries = Retries()
    /// For one attempt, from connecting to the last byte of the answer. A page of entries may have up to
    /// `largestResponseByteCount` bytes: over a slow connection that may need more.
    public var requestTimeout: Duration = .seconds(60)
    /// Longer answers are refused. The default holds a page of 1,000 entries of moderate size.
    public var largestResponseByteCount = 64 << 20
    public var httpVersions = HTTPVersions.automatic
    /// HTTP/1.1 connections kept to the server. With HTTP/2 one connection carries all calls.
    public var connectionCount = 16
    /// Sent with every call (API spec A.1).
    public var apiVersion = "2026-07-31-preview"

    public init(endpoint: String, serviceCertificatePEM: String, credential: Credential) {
        self.endpoint = endpoint
        self.serviceCertificatePEM = serviceCertificatePEM
        self.credential = credential
    }
}
