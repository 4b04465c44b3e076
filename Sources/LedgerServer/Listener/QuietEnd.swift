import NIOCore

/// Ends an HTTP/2 connection without streams soon after the server began to stop. The library then sends GOAWAY and a
/// PING, and waits for the answer to close in order; an idle client that does not read would be waited for until the
/// drain time is over. Stands behind the library's handlers, so that the GOAWAY is on its way first.
final class QuietEnd: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    typealias InboundOut = NIOAny

    private let watch: StreamWatch

    init(_ watch: StreamWatch) { self.watch = watch }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.fireChannelRead(data) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        if event is ChannelShouldQuiesceEvent { watch.stop() }
    }
}
