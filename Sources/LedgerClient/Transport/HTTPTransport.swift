import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Sends calls to one pinned service and repeats them by the rules of the configuration.
final class HTTPTransport: Sendable {
    let base: String
    private let configuration: LedgerClientConfiguration
    private let http: HTTPClient

    init(_ configuration: LedgerClientConfiguration) throws(LedgerClientError) {
        self.configuration = configuration
        self.base = try Self.validated(endpoint: configuration.endpoint)
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv13
        tls.certificateVerification = .fullVerification
        let pinned = try PEMInput.certificates(
            configuration.serviceCertificatePEM, input: "the service certificate")
        tls.trustRoots = .certificates(pinned)
        if case .certificate(let pem) = configuration.credential {
            tls.certificateChain = try PEMInput.certificates(pem, input: "the client certificate").map {
                .certificate($0)
            }
            tls.privateKey = .privateKey(try PEMInput.privateKey(pem, input: "the client certificate"))
            // Else it would show only in the handshake, as a failure that names neither.
            do {
                _ = try NIOSSLContext(configuration: tls)
            } catch {
                throw LedgerClientError(
                    .invalidConfiguration, "the client certificate: the private key does not belong to it", cause: error
                )
            }
        }
        var settings = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        settings.timeout = .init(connect: .seconds(10))
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, configuration.connectionCount)
        // A refused connection or an untrusted certificate is told at once; repeating is decided here.
        settings.connectionPool.retryConnectionEstablishment = false
        if case .http1Only = configuration.httpVersions { settings.httpVersion = .http1Only }
        self.http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }

    func shutdown() async {
        // Fails only when it was shut down before.
        try? await http.shutdown()
    }

    /// `https://host[:port]` without a trailing slash.
    static func validated(endpoint: String) throws(LedgerClientError) -> String {
        guard let parts = URLComponents(string: endpoint), let host = parts.host, !host.isEmpty else {
            throw LedgerClientError(.invalidConfiguration, "\(endpoint): not a URL of the form https://host:port")
        }
        guard parts.scheme?.lowercased() == "https" else {
            throw LedgerClientError(.invalidConfiguration, "\(endpoint): the scheme must be https")
        }
        guard parts.path.isEmpty || parts.path == "/", parts.query == nil, parts.fragment == nil, parts.user == nil
        else {
            throw LedgerClientError(.invalidConfiguration, "\(endpoint): must have no user, path, query or fragment")
        }
        guard WebFetcher.isPort(parts.port) else {
            throw LedgerClientError(.invalidConfiguration, "\(endpoint): the port must be 1 to 65535")
        }
        return "https://\(host)" + (parts.port.map { ":\($0)" } ?? "")
    }

    /// Sends until an accepted status, a final refusal or the last attempt.
    func send(_ call: HTTPCall) async throws -> HTTPAnswer {
        var delay = configuration.retries.firstDelay
        var mayHaveHappened = false
        var attempt = 1
        while true {
            let (failure, isFinal, reached, pause): (LedgerClientError, Bool, Bool, Duration?)
            switch try await attemptOnce(call) {
            case .answer(let answer): return answer
            case .failure(let why, let final, let acted, let wait):
                (failure, isFinal, reached, pause) = (why, final, acted, wait)
            }
            if isFinal { throw failure }
            if call.isWrite, reached { mayHaveHappened = true }
            guard attempt < configuration.retries.attempts else {
                guard mayHaveHappened, failure.code == .unreachable else { throw failure }
                throw LedgerClientError(
                    .outcomeUnknown,
                    "\(failure.reason); the write (request id \(call.requestID)) may or may not have taken place",
                    status: failure.status, serverCode: failure.serverCode, cause: failure.cause)
            }
            attempt += 1
            try await Task.sleep(for: min(pause ?? delay, configuration.retries.longestDelay))
            delay = delay * 2
        }
    }

    private enum Attempt {
        case answer(HTTPAnswer)
        /// `reached`: the server may have acted. `pause`: what it asked for.
        case failure(LedgerClientError, isFinal: Bool, reached: Bool, pause: Duration?)
    }

    private func attemptOnce(_ call: HTTPCall) async throws -> Attempt {
        let answer: HTTPAnswer
        do {
            answer = try await once(call)
        } catch let error as LedgerClientError {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let failure = Self.transportFailure(error, endpoint: base)
            return .failure(
                failure, isFinal: failure.code != .unreachable, reached: !Self.isBeforeSending(error), pause: nil)
        }
        if call.accepted.contains(answer.status) { return .answer(answer) }
        let pause = answer.headers.first(name: "retry-after").flatMap { Int($0) }.map {
            Duration.seconds(min(max(0, $0), 3600))
        }
        return .failure(
            Self.refusal(of: call, by: answer),
            isFinal: !Self.isWorthRepeating(answer.status, isWrite: call.isWrite), reached: answer.status != 429,
            pause: pause)
    }

    private func once(_ call: HTTPCall) async throws -> HTTPAnswer {
        var request = HTTPClientRequest(url: base + call.target)
        request.method = call.method
        request.headers.add(name: "accept", value: call.accept)
        request.headers.add(name: "user-agent", value: "indelible-swift")
        request.headers.add(name: "x-ms-client-request-id", value: call.requestID)
        if case .token(let provider) = configuration.credential {
            request.headers.add(name: "authorization", value: "Bearer \(try await provider())")
        }
        if let body = call.body {
            request.headers.add(name: "content-type", value: call.contentType)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let limit = configuration.requestTimeout
        let largest = configuration.largestResponseByteCount
        return try await within(limit, orThrow: HTTPClientError.deadlineExceeded) { [http, request] in
            let response = try await http.execute(request, timeout: TimeAmount(limit))
            var body: ByteBuffer
            do {
                body = try await response.body.collect(upTo: largest)
            } catch is NIOTooManyBytesError where call.isWrite && call.accepted.contains(response.status.code) {
                let id = response.headers.first(name: "x-ms-ccf-transaction-id").map { " as transaction \($0)" } ?? ""
                throw LedgerClientError(
                    .outcomeUnknown,
                    "the server took the write\(id), but its answer is longer than \(largest) bytes and was not read",
                    status: Int(response.status.code))
            }
            return HTTPAnswer(
                status: response.status.code, headers: response.headers,
                body: body.readBytes(length: body.readableBytes) ?? [])
        }
    }

    private static func isWorthRepeating(_ status: UInt, isWrite: Bool) -> Bool {
        switch status {
        case 429, 500, 503, 504: true
        case 408, 502: !isWrite
        default: false
        }
    }

    private static func refusal(of call: HTTPCall, by answer: HTTPAnswer) -> LedgerClientError {
        let envelope = try? JSONDecoder().decode(Wire.ErrorEnvelope.self, from: Data(answer.body))
        let path = call.target.prefix { $0 != "?" }
        var reason = "\(call.method.rawValue) \(path): the server answered \(answer.status)"
        if let code = envelope?.error.code { reason += " \(code)" }
        if let message = envelope?.error.message { reason += ": \(message)" }
        return LedgerClientError(
            answer.status == 404 ? .notFound : .refused, reason, status: Int(answer.status),
            serverCode: envelope?.error.code)
    }

    private static func transportFailure(_ error: any Error, endpoint: String) -> LedgerClientError {
        if error is NIOTooManyBytesError {
            return LedgerClientError(.unexpectedResponse, "\(endpoint): the answer is too long", cause: error)
        }
        let text = "\(error)"
        if error is NIOSSLExtraError || text.contains("CERTIFICATE_VERIFY_FAILED") {
            return LedgerClientError(
                .untrustedServer,
                "\(endpoint): the server's certificate is not one of the pinned service for this host name and time",
                cause: error)
        }
        return LedgerClientError(.unreachable, "\(endpoint): \(plain(error))", cause: error)
    }

    /// Whether the failure came before any byte of the request can have left.
    private static func isBeforeSending(_ error: any Error) -> Bool {
        if let failure = error as? IOError { return failure.errnoCode == ECONNREFUSED }
        guard let failure = error as? HTTPClientError else { return error is NIOConnectionError }
        return failure == .connectTimeout || failure == .tlsHandshakeTimeout || failure == .getConnectionFromPoolTimeout
    }

    static func plain(_ error: any Error) -> String {
        switch error {
        case let failure as NIOConnectionError:
            return failure.connectionErrors.first.map { plain($0.error) } ?? "cannot connect (no address)"
        case let failure as IOError:
            let why = String(cString: strerror(failure.errnoCode))
            return failure.errnoCode == ECONNREFUSED ? "cannot connect (\(why))" : "the connection broke (\(why))"
        case _ where error is NIOSSLExtraError || "\(error)".contains("CERTIFICATE_VERIFY_FAILED"):
            return "the server's certificate is not the trusted one for this host name and time"
        case is NIOSSLError:
            return "the TLS handshake failed"
        case let failure as HTTPClientError where failure == .deadlineExceeded || failure == .readTimeout:
            return "no answer in time"
        case let failure as HTTPClientError
        where failure == .connectTimeout || failure == .tlsHandshakeTimeout || failure == .getConnectionFromPoolTimeout:
            return "cannot connect in time"
        case let failure as HTTPClientError where failure == .remoteConnectionClosed:
            return "the connection was closed before the answer"
        default:
            return "\(error)"
        }
    }
}
