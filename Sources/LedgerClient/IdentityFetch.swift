import AsyncHTTPClient
import Foundation
import LedgerAPI
import NIOCore
import NIOHTTP1
import NIOSSL

/// First contact: asks a ledger for its service certificate before anything is pinned.
///
/// Whoever answers is believed, so the result must be compared with a fingerprint that came another way.
public enum IdentityFetch {
    /// `endpoint`: `https://host[:port]`; `ledgerID` `nil`: the endpoint's host name, as the official clients do.
    /// `trustedPEM`: authorities for the connection; `nil`: any certificate is accepted for this one call.
    /// `timeLimit`: from connecting to the last byte of the answer.
    /// Errors: `invalidConfiguration`, `unreachable`, `refused`, `unexpectedResponse`.
    public static func identity(
        endpoint: String, ledgerID: String?, trustedPEM: String?, timeLimit: Duration = .seconds(20)
    ) async throws -> ServiceIdentity {
        let base = try HTTPTransport.validated(endpoint: endpoint)
        var tls = TLSConfiguration.makeClientConfiguration()
        if let trustedPEM {
            tls.trustRoots = .certificates(try PEMInput.certificates(trustedPEM, input: "the trusted certificate"))
        } else {
            tls.certificateVerification = .none
        }
        var settings = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        settings.timeout = .init(connect: .seconds(10))
        settings.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
        do {
            let identity = try await fetch(base: base, ledgerID: ledgerID, timeLimit, http)
            try? await http.shutdown()
            return identity
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private static func fetch(
        base: String, ledgerID: String?, _ timeLimit: Duration, _ http: HTTPClient
    ) async throws -> ServiceIdentity {
        let host = base.dropFirst("https://".count)
        let id = ledgerID ?? String(host.prefix { $0 != "." })
        let url = "\(base)/ledgerIdentity/\(PercentEncoding.encode(id))?api-version=2022-05-13"
        let status: HTTPResponseStatus
        let body: Data
        do {
            (status, body) = try await within(timeLimit, orThrow: HTTPClientError.deadlineExceeded) {
                let response = try await http.execute(HTTPClientRequest(url: url), timeout: TimeAmount(timeLimit))
                let buffer = try await response.body.collect(upTo: 1 << 20)
                return (response.status, Data(buffer.readableBytesView))
            }
        } catch is NIOTooManyBytesError {
            throw LedgerClientError(.unexpectedResponse, "\(url): the answer is too long")
        } catch {
            throw LedgerClientError(.unreachable, "\(base): \(HTTPTransport.plain(error))", cause: error)
        }
        guard status == .ok else {
            let message = (try? JSONDecoder().decode(Wire.ErrorEnvelope.self, from: body))?.error.message ?? ""
            throw LedgerClientError(
                status == .notFound ? .notFound : .refused,
                "\(url): the server answered \(status.code) \(message)", status: Int(status.code))
        }
        guard let identity = try? JSONDecoder().decode(IdentityWord.self, from: body) else {
            throw LedgerClientError(.unexpectedResponse, "\(url): the answer does not have the agreed form")
        }
        return try ServiceIdentity(identity, from: url)
    }
}
