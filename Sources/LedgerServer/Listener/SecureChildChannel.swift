import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL
import NIOTLS

/// Answers one request. Throwing ends the connection.
typealias ConnectionResponder =
    @Sendable (Request, consuming ResponseWriter, ConnectionInfo) async throws -> Void

/// TLS 1.3 with an optional client certificate, then HTTP/2 or HTTP/1.1 as ALPN decides.
///
/// Hummingbird's own TLS channel fixes its context at start and hides the peer; this one asks for the current
/// context for each connection and hands the peer's identity to the responder.
struct SecureChildChannel: ServerChildChannel {
    enum Negotiated: Sendable {
        case http1(HTTP1Channel, HTTP1Channel.Value)
        case http2(HTTP2Channel, HTTP2Channel.Value)
    }

    struct Value: ServerChildChannelValue {
        let negotiated: EventLoopFuture<Negotiated>
        let channel: any Channel
    }

    let contexts: TLSContexts
    let limits: ServerLimits
    let gauge: ConnectionGauge
    let responder: ConnectionResponder

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(
                NIOSSLServerHandler(
                    context: contexts.current, customVerificationCallback: TLSContexts.acceptAny,
                    configuration: .init()))
            try pipeline.addHandler(HandshakeDeadline(timeout: TimeAmount(limits.handshakeTimeout)))
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Negotiated> { result in
                configure(channel, after: result, logger: logger)
            }
            try pipeline.addHandler(negotiation)
            gauge.opened()
            channel.closeFuture.whenComplete { [gauge] _ in gauge.closed() }
            return Value(negotiated: negotiation.protocolNegotiationResult, channel: channel)
        }
    }

    private func configure(
        _ channel: any Channel, after result: ALPNResult, logger: Logger
    ) -> EventLoopFuture<Negotiated> {
        let info: ConnectionInfo
        do {
            let certificate = try channel.pipeline.syncOperations.nioSSL_peerCertificate()
            info = ConnectionInfo(peer: certificate.flatMap { PeerCertificate($0) })
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        let responder = responder
        let answer: HTTPChannelHandler.Responder = { request, writer, _ in
            try await responder(request, writer, info)
        }
        let http1Configuration = HTTP1Channel.Configuration(
            idleTimeout: TimeAmount(limits.idleTimeout),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headerByteCount, maxHeaderListSize: limits.headerByteCount,
                maxHeaderFieldCount: limits.headerFieldCount))
        switch result {
        case .negotiated("h2"):
            let bodyTimeout = TimeAmount(limits.bodyTimeout)
            let watch = StreamWatch(channel, limit: TimeAmount(limits.idleTimeout) + TimeAmount(limits.drainTimeout))
            watch.start()
            let bound = NIOLoopBound(watch, eventLoop: channel.eventLoop)
            do {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(CloseAfterWrites(limit: TimeAmount(limits.drainTimeout)))
                try pipeline.addHandler(GoAwayNotice())
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
            let http2 = HTTP2Channel(
                responder: answer,
                configuration: .init(
                    idleTimeout: limits.idleTimeout, gracefulCloseTimeout: limits.drainTimeout,
                    streamConfiguration: HTTP1Channel.Configuration(
                        additionalChannelHandlers: [BodyDeadline(timeout: bodyTimeout, watch: bound.value)],
                        idleTimeout: TimeAmount(limits.idleTimeout))))
            return http2.setup(channel: channel, logger: logger).flatMapThrowing { value in
                let pipeline = channel.pipeline.syncOperations
                let frames = try pipeline.handler(type: NIOHTTP2Handler.self)
                try pipeline.addHandler(StreamErrors(), position: .after(frames))
                try pipeline.addHandler(QuietEnd(bound.value))
                return .http2(http2, value)
            }
        case .negotiated("http/1.1"), .fallback:
            let http1 = HTTP1Channel(responder: answer, configuration: http1Configuration)
            return http1.setup(channel: channel, logger: logger).flatMapThrowing { value in
                let pipeline = channel.pipeline.syncOperations
                let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
                let guardian = RequestGuard(
                    headerTimeout: TimeAmount(limits.headerTimeout), bodyTimeout: TimeAmount(limits.bodyTimeout),
                    gauge: gauge)
                try pipeline.addHandler(guardian, position: .after(decoder))
                try pipeline.addHandler(RequestGuard.ByteWatch(guardian), position: .before(decoder))
                return .http1(http1, value)
            }
        case .negotiated:
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
    }

    func handle(value: Value, logger: Logger) async {
        let executor = EventLoopTaskExecutor(value.channel.eventLoop)
        await withTaskExecutorPreference(executor) { await serve(value, logger) }
    }

    private func serve(_ value: Value, _ logger: Logger) async {
        do {
            switch try await value.negotiated.get() {
            case .http1(let http1, let connection): await http1.handle(value: connection, logger: logger)
            case .http2(let http2, let connection): await http2.handle(value: connection, logger: logger)
            }
        } catch {
            logger.debug("connection ended before a request", metadata: ["error": "\(error)"])
            try? await value.channel.close()
        }
    }
}
