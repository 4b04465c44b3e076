import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Fetches small documents from the web: what a token issuer publishes about itself and its keys.
///
/// Only `https` is allowed, except on the loopback interface, and no redirects are followed, so that a document
/// always comes from the place that was configured.
public final class WebFetcher: Sendable {
    private let http: HTTPClient
    private let largestByteCount: Int

    /// `additionalRootsPEM`: authorities trusted besides those of the system. Errors: `invalidConfiguration`.
    public init(additionalRootsPEM: String? = nil, largestByteCount: Int = 1 << 20) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let additionalRootsPEM {
            tls.additionalTrustRoots = [
                .certificates(try PEMInput.certificates(additionalRootsPEM, input: "the additional authorities"))
            ]
        }
        var settings = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        settings.timeout = .init(connect: .seconds(5))
        self.http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
        self.largestByteCount = largestByteCount
    }

    /// The body of a 200 answer. Errors: `invalidInput` for a URL that is not allowed, `unreachable`, `refused`.
    public func fetch(_ url: URL) async throws -> [UInt8] {
        let host = url.host() ?? ""
        let isLoopback = host == "localhost" || host == "127.0.0.1" || host == "::1" || host == "[::1]"
        guard url.scheme == "https" || (url.scheme == "http" && isLoopback) else {
            throw LedgerClientError(.invalidInput, "\(url): must be https (http only on the loopback interface)")
        }
        guard Self.isPort(url.port) else {
            throw LedgerClientError(.invalidInput, "\(url): the port must be 1 to 65535")
        }
        var request = HTTPClientRequest(url: url.absoluteString)
        request.headers.add(name: "accept", value: "application/json")
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, timeout: .seconds(10))
        } catch {
            throw LedgerClientError(.unreachable, "\(url): \(HTTPTransport.plain(error))", cause: error)
        }
        guard response.status == .ok else {
            throw LedgerClientError(
                .refused, "\(url): the server answered \(response.status.code)", status: Int(response.status.code))
        }
        var body = try await response.body.collect(upTo: largestByteCount)
        return body.readBytes(length: body.readableBytes) ?? []
    }

    public func shutdown() async {
        try? await http.shutdown()
    }

    /// Whether a URL's port can be connected to; the HTTP library ends the process for one that has more than 16 bits.
    public static func isPort(_ port: Int?) -> Bool {
        port.map { (1...65_535).contains($0) } ?? true
    }
}
