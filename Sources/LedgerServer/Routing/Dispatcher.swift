import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs
import Logging
import NIOCore

/// From a request to an answer: route, version, caller, permission, handler; every error is rendered here.
struct Dispatcher: Sendable {
    let router: Router
    let configuration: LedgerServerConfiguration
    let authenticator: Authenticator
    let authorize: @Sendable (Identity, LedgerAction) -> AuthorizationDecision
    /// The newest committed transaction.
    let committed: @Sendable () -> TransactionID
    let metrics: ServerMetrics
    let gauge: ConnectionGauge
    let logger: Logger

    /// Answers one request on a connection.
    func respond(
        _ request: Request, _ writer: consuming ResponseWriter, _ connection: ConnectionInfo
    ) async throws {
        let start = ContinuousClock.now
        // Before anything is read: an answer must not name a newer state than the one that it rests on.
        let readAt = committed()
        let target = (request.head.path ?? "/")[...]
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?"))
        let path = target[..<(mark ?? target.endIndex)]
        let match = router.match(request.method, path)
        var routeIndex: Int?
        if case .route(let index, _) = match { routeIndex = index }
        let query = mark.map { target[target.index(after: $0)...] } ?? ""

        var response: Response
        do {
            try checkHeader(request)
            if let length = declaredLength(request), length > configuration.limits.bodyByteCount {
                throw RequestContext.tooLarge(configuration.limits.bodyByteCount)
            }
            if let expectation = request.headers.value(.expect) {
                guard expectation.lowercased() == "100-continue" else {
                    throw APIError(.invalidHeaderValue, "The expect header must be 100-continue.")
                }
                try await writer.writeInformationalHead(HTTPResponse(status: .continue))
            }
            response = try await answer(request, match: match, path: path, query: query, connection, readAt)
        } catch let error as APIError {
            response = error.response
        } catch let error as LedgerError {
            if error.code == .inputOutput || error.code == .corrupt {
                logger.error(
                    "a request failed",
                    metadata: [
                        "path": "\(path.prefix(200))", "error": "\(error)",
                        "cause": "\(error.cause.map { "\($0)" } ?? "none")",
                    ])
            }
            response = APIError(error).response
        } catch is CancellationError {
            response = APIError(.notWritable, "The node is stopping.").response
        } catch {
            logger.error("a request failed", metadata: ["path": "\(path.prefix(200))", "error": "\(error)"])
            response = APIError(.internalError, "The node could not answer; its log says why.").response
        }
        if response.status == .contentTooLarge { gauge.bodyTooLarge() }
        // Every answer says which state it is of (API spec A): refusals and the node's own answers the committed one
        // when the request began.
        if !response.headers.contains(FieldNames.transactionID) {
            response.headers[FieldNames.transactionID] = readAt.description
        }
        metrics.record(route: routeIndex, status: response.status.code, duration: start.duration(to: .now))
        if request.method == .head { response = response.createHeadResponse() }
        if request.headers.value(.connection)?.lowercased() == "close" { response.headers[.connection] = "close" }
        try await writer.write(response: response.head, body: response.body)
    }

    /// What the decoder of HTTP/1.1 refuses itself is checked here for HTTP/2 too.
    private func checkHeader(_ request: Request) throws {
        guard request.headers.count <= configuration.limits.headerFieldCount else {
            gauge.headerTooLarge()
            throw APIError(
                .requestHeaderTooLarge,
                "The request has more than \(configuration.limits.headerFieldCount) header fields.")
        }
        try checkHost(request)
    }

    /// One host (RFC 9112, 3.2). Over HTTP/1.1 the field comes as the authority and more than one as none; over HTTP/2 the
    /// field may stand beside `:authority` with the same meaning (RFC 9113, 8.3.1), or, from a proxy, in its place.
    private func checkHost(_ request: Request) throws {
        var authority = request.head.authority
        var fieldCount = 0
        for field in request.headers where field.name == FieldNames.host {
            fieldCount += 1
            guard let named = authority else {
                authority = field.value
                continue
            }
            guard Self.isSameHost(named, field.value) else {
                throw APIError(.invalidHeaderValue, "The host header and the authority of the request are different.")
            }
        }
        guard fieldCount <= 1, let authority, !authority.isEmpty else {
            throw APIError(.invalidHeaderValue, "The host header is missing or comes more than once.")
        }
    }

    /// Without regard to the case of ASCII letters, and to a port that is the one of the scheme.
    private static func isSameHost(_ a: String, _ b: String) -> Bool {
        if a.utf8.elementsEqual(b.utf8) { return true }
        func plain(_ text: String) -> [UInt8] {
            let bytes = text.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
            let port = ":443".utf8
            return bytes.suffix(port.count).elementsEqual(port) ? bytes.dropLast(port.count) : bytes
        }
        return plain(a) == plain(b)
    }

    private func declaredLength(_ request: Request) -> Int? {
        request.headers.value(.contentLength).flatMap { Int($0) }
    }

    private func answer(
        _ request: Request, match: Router.Match, path: Substring, query: Substring, _ connection: ConnectionInfo,
        _ readAt: TransactionID
    ) async throws -> Response {
        switch match {
        case .unknown: throw APIError(.resourceNotFound, "Unknown path: \(path.prefix(200)).")
        case .malformed:
            throw APIError(.invalidResourceName, "The path is not percent-encoded UTF-8: \(path.prefix(200)).")
        case .otherMethods(let methods):
            let allow = (["OPTIONS"] + methods.map(\.rawValue)).joined(separator: ", ")
            if request.method == .options { return Response(status: .noContent, headers: [.allow: allow]) }
            throw APIError(
                .unsupportedHTTPVerb, "\(request.method.rawValue) is not offered on \(path.prefix(200)); use \(allow).",
                headers: [.allow: allow])
        case .route(let index, let parameters):
            let route = router.routes[index]
            let query = try Query(query)
            let version = try version(query, route)
            try route.checkAccept(request.headers.value(.accept))
            var rights: CallerRights?
            let path = String(path)
            if let action = route.access.action(configuration) {
                guard let caller = try await authenticator.identity(request.headers, connection: connection) else {
                    throw Authenticator.nothingSent
                }
                let wanted = CallerRights(caller: caller, action: action, method: request.method, path: path)
                try wanted.check(authorize(caller, action))
                rights = wanted
            }
            return try await route.handler(
                RequestContext(
                    request: request, query: query, parameters: parameters, path: path, rights: rights,
                    readAt: readAt, version: version, bodyLimit: configuration.limits.bodyByteCount))
        }
    }

    private func version(_ query: Query, _ route: Route) throws -> APIVersion {
        guard let name = query["api-version"] else { return .newestStable }
        if let version = APIVersion(name: name) { return version }
        // The framework's own endpoints have no versions and ignore the parameter.
        if route.pattern.hasPrefix("/node") { return .newestStable }
        throw APIError(
            .unsupportedAPIVersion,
            "The api-version '\(name.prefix(64))' is unknown; known are "
                + APIVersion.known.map(\.name).joined(separator: ", ") + ".")
    }
}
