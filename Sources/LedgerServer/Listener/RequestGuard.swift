import LedgerAPI
import NIOCore
import NIOHTTP1

/// Watches one HTTP/1.1 connection for slow or oversized requests.
///
/// It sits behind the decoder and, through `ByteWatch`, before it. A timer exists only while a head or a body is
/// unfinished at the end of a read, so that requests that arrive whole cost nothing.
final class RequestGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase { case betweenRequests, head, body }

    private let headerTimeout: TimeAmount
    private let bodyTimeout: TimeAmount
    private let gauge: ConnectionGauge
    private var phase = Phase.betweenRequests
    private var timer: Scheduled<Void>?
    private var timedPhase = Phase.betweenRequests
    private var refused = false
    private var isMalformed = false

    init(headerTimeout: TimeAmount, bodyTimeout: TimeAmount, gauge: ConnectionGauge) {
        self.gauge = gauge
        self.headerTimeout = headerTimeout
        self.bodyTimeout = bodyTimeout
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: phase = .body
        case .body: break
        case .end: phase = .betweenRequests
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if phase != timedPhase {
            timer?.cancel()
            timer = nil
            timedPhase = phase
            if phase != .betweenRequests {
                let channel = context.channel
                timer = context.eventLoop.scheduleTask(in: phase == .head ? headerTimeout : bodyTimeout) {
                    channel.close(promise: nil)
                }
            }
        }
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let parserError = error as? HTTPParserError
        guard parserError == .headerOverflow, !refused else {
            // A client that leaves in the middle of a body sent nothing wrong; and the parser goes on complaining.
            if let parserError, parserError != .invalidEOFState, !refused, !isMalformed {
                isMalformed = true
                gauge.requestMalformed()
            }
            context.fireErrorCaught(error)
            return
        }
        refused = true
        gauge.headerTooLarge()
        let code = ErrorCode.requestHeaderTooLarge
        let body = ErrorEnvelope(code: code.name, message: "The request header fields are too large.").encoded()
        var head = HTTPResponseHead(version: .http1_1, status: .requestHeaderFieldsTooLarge)
        head.headers.add(name: "content-type", value: "application/json")
        head.headers.add(name: "content-length", value: String(body.count))
        head.headers.add(name: "connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    /// Tells the guard that bytes arrived, before the decoder makes parts of them.
    final class ByteWatch: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer

        private let owner: RequestGuard

        init(_ owner: RequestGuard) { self.owner = owner }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if owner.phase == .betweenRequests { owner.phase = .head }
            context.fireChannelRead(data)
        }
    }
}
