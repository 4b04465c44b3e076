import NIOCore
import NIOHTTPTypes

/// Resets one HTTP/2 stream whose request body is not complete in time: the stream's idle timeout alone would let a
/// client that sends a byte now and then keep it forever. A request without a body ends with its head. As the one handler
/// that every stream has, it also tells the connection's watch that the stream is there.
final class BodyDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let timeout: TimeAmount
    private let watch: StreamWatch
    private var timer: Scheduled<Void>?
    private var isComplete = false
    private var isCounted = false

    init(timeout: TimeAmount, watch: StreamWatch) {
        self.timeout = timeout
        self.watch = watch
    }

    func handlerAdded(context: ChannelHandlerContext) {
        isCounted = true
        watch.streamOpened()
    }

    private func leave() {
        timer?.cancel()
        guard isCounted else { return }
        isCounted = false
        watch.streamClosed()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .end = unwrapInboundIn(data) {
            isComplete = true
            timer?.cancel()
            timer = nil
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Only what is unfinished at the end of a read needs a timer.
        if !isComplete, timer == nil {
            let channel = context.channel
            timer = context.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
        }
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The library would close the stream as soon as the end of the answer is handed over, and reset it when the client
        // has not yet allowed all of it to be sent. The stream ends by itself.
        if event is ChannelShouldQuiesceEvent { return }
        context.fireUserInboundEventTriggered(event)
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }
}
