import LedgerAPI
import NIOCore
import NIOHTTP1

/// Watches one HTTP/1.1 connection for slow, oversized or malformed requests, and takes nothing more from one that the
/// server has begun to close: TLS still reads until the client agrees, but what arrives could not be answered.
///
/// It sits behind the decoder and, through `ByteWatch`, before it. A timer exists only while a head or a body is
/// unfinished at the end of a read, so that requests that arrive whole cost nothing.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
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
    private var isClosing = false
    /// Requests that were read and have no whole answer yet.
    private var unanswered = 0
    /// What follows is refused: that is said when so many requests have no answer yet.
    private var pending: (unanswered: Int, refusal: Refusal)?
    /// The body of the request that is being answered is malformed: nothing can follow.
    private var endsAfterAnswer = false
    /// The newest answer says that it is the last one.
    private var saysClose = false

    private enum Refusal { case malformed, largeHeader }

    /// What the reader of a malformed body is told. The library answers its own error itself, without an envelope.
    private struct MalformedBody: Error {}

    init(headerTimeout: TimeAmount, bodyTimeout: TimeAmount, gauge: ConnectionGauge) {
        self.gauge = gauge
        self.headerTimeout = headerTimeout
        self.bodyTimeout = bodyTimeout
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // The decoder may hold what came before.
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            phase = .body
            unanswered += 1
            let isChanged = Self.tidy(&head)
            if head.version.major == 1, head.version.minor == 0 {
                // Older clients wait for the end of the connection, and need not name the host.
                head.headers.replaceOrAdd(name: "connection", value: "close")
                if !head.headers.contains(name: "host") { head.headers.add(name: "host", value: "localhost") }
                context.fireChannelRead(wrapInboundOut(.head(head)))
                return
            }
            if isChanged {
                context.fireChannelRead(wrapInboundOut(.head(head)))
                return
            }
        case .body: break
        case .end: phase = .betweenRequests
        }
        context.fireChannelRead(data)
    }

    /// The library knows `connection: close` only when nothing stands beside it, and takes the first of several hosts
    /// (RFC 9112, 3.2: an error; without any the request is refused). Returns whether it changed the head.
    private static func tidy(_ head: inout HTTPRequestHead) -> Bool {
        var hosts = 0
        var closes = false
        var connections = 0
        for (name, value) in head.headers {
            switch name.utf8.count {
            case 4 where name.lowercased() == "host": hosts += 1
            case 10 where name.lowercased() == "connection":
                connections += 1
                closes = closes || value.lowercased().split(whereSeparator: { ", \t".contains($0) }).contains("close")
            default: break
            }
        }
        if hosts > 1 { head.headers.remove(name: "host") }
        let unites = closes && (connections > 1 || head.headers.first(name: "connection") != "close")
        if unites { head.headers.replaceOrAdd(name: "connection", value: "close") }
        return hosts > 1 || unites
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            saysClose = head.headers.first(name: "connection")?.lowercased() == "close"
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            unanswered -= 1
            if endsAfterAnswer {
                let written = promise ?? context.eventLoop.makePromise()
                let channel = context.channel
                written.futureResult.whenComplete { _ in channel.close(promise: nil) }
                context.writeAndFlush(data, promise: written)
                return
            }
            context.write(data, promise: promise)
            if let pending, unanswered == pending.unanswered, !saysClose, !refused { refuse(context, pending.refusal) }
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .input { isClosing = true }
        context.close(mode: mode, promise: promise)
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
        // The parser goes on complaining.
        guard let error = error as? HTTPParserError, !refused else {
            context.fireErrorCaught(error)
            return
        }
        if error == .headerOverflow {
            gauge.headerTooLarge()
            if unanswered == 0 { refuse(context, .largeHeader) } else { pending = (0, .largeHeader) }
            return
        }
        // A client that leaves in the middle of a body sent nothing wrong.
        if error != .invalidEOFState, !isMalformed {
            isMalformed = true
            gauge.requestMalformed()
        }
        switch (phase, unanswered) {
        case (_, _) where error == .invalidEOFState: context.fireErrorCaught(error)
        // The request has its answer, and gets no second one.
        case (.body, 0): context.close(promise: nil)
        // The one who reads the body answers.
        case (.body, 1):
            endsAfterAnswer = true
            context.fireErrorCaught(MalformedBody())
        // Nobody reads it yet.
        case (.body, _): pending = (1, .malformed)
        case (_, 0): refuse(context, .malformed)
        default: if pending == nil { pending = (0, .malformed) }
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ refusal: Refusal) {
        switch refusal {
        case .malformed: refuse(context, .badRequest, .invalidInput, "The request is not well-formed HTTP/1.1.")
        case .largeHeader:
            refuse(
                context, .requestHeaderFieldsTooLarge, .requestHeaderTooLarge,
                "The request header fields are too large.")
        }
    }

    /// Answers in place of the server and closes the connection.
    private func refuse(
        _ context: ChannelHandlerContext, _ status: HTTPResponseStatus, _ code: ErrorCode, _ message: String
    ) {
        refused = true
        let body = ErrorEnvelope(code: code.name, message: message).encoded()
        var head = HTTPResponseHead(version: .http1_1, status: status)
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
            guard !owner.isClosing else { return }
            if owner.phase == .betweenRequests { owner.phase = .head }
            context.fireChannelRead(data)
        }
    }
}
