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
    private let timeLimit: Duration

    /// `additionalRootsPEM`: authorities trusted besides those of the system. `timeLimit`: of one document, from
    /// connecting to its last byte. Errors: `invalidConfiguration`.
    public init(
        additionalRootsPEM: String? = nil, largestByteCount: Int = 1 << 20, timeLimit: Duration = .seconds(10)
    ) throws {
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
        self.timeLimit = timeLimit
    }

    /// The body of a 200 answer. Ends early when the task is cancelled. Errors: `invalidInput` for a URL that is not
    /// allowed, `unreachable`, `refused`.
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
        let late = LedgerClientError(.unreachable, "\(url): the answer was not complete within \(timeLimit)")
        return try await within(timeLimit, orThrow: late) { [request] in try await self.load(request, url) }
    }

    private func load(_ request: HTTPClientRequest, _ url: URL) async throws -> [UInt8] {
        let response: HTTPClientResponse
        var body: ByteBuffer
        do {
            response = try await http.execute(request, timeout: TimeAmount(timeLimit))
            guard response.status == .ok else {
                throw LedgerClientError(
                    .refused, "\(url): the server answered \(response.status.code)", status: Int(response.status.code))
            }
            body = try await response.body.collect(upTo: largestByteCount)
        } catch let error as LedgerClientError {
            throw error
        } catch is NIOTooManyBytesError {
            throw LedgerClientError(.refused, "\(url): the answer is larger than \(largestByteCount) bytes")
        } catch {
            throw LedgerClientError(.unreachable, "\(url): \(HTTPTransport.plain(error))", cause: error)
        }
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
