import NIOCore

/// Tells an HTTP/2 client that the connection is ending some time before the library does: RFC 9113, 6.8, wants requests
/// that were on their way to be answered, but the library refuses them from its first GOAWAY on, and closes the connection
/// with everything in progress when one comes. Stands between TLS and HTTP/2.
final class GoAwayNotice: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long requests may be on their way. A client that is told sends no others.
    static let notice = TimeAmount.milliseconds(500)

    /// GOAWAY (RFC 9113, 6.8): 8 bytes of payload, type 7, stream 0; the last stream is the highest there can be, no error.
    private static let frame: [UInt8] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]

    private var isTold = false
    private var timer: Scheduled<Void>?

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelShouldQuiesceEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        guard !isTold else { return }
        isTold = true
        // The library writes each frame in one go, so this one stands between two.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: Self.frame)), promise: nil)
        let box = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: Self.notice) { box.value.fireUserInboundEventTriggered(event) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }
}
