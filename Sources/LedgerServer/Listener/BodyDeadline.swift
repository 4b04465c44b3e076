import NIOCore
import NIOHTTPTypes

/// Resets one HTTP/2 stream whose request body is not complete in time: the stream's idle timeout alone would let a
/// client that sends a byte now and then keep it forever. A request without a body ends with its head. As the one handler
/// that every stream has, it also tells the connection's watch that the stream is there.
final class BodyDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let timeout: TimeAmount
    private let watch: StreamWatch
    private var timer: Scheduled<Void>?
    private var isComplete = false
    private var isCounted = false
    private var isStopping = false
    /// The whole answer has gone out before the whole body came.
    private var isAnsweredEarly = false

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

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isComplete, case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        let box = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        promise.futureResult.whenSuccess {
            box.value.handler.isAnsweredEarly = true
            box.value.handler.leaveUnread(box.value.context)
        }
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        // The library would close the stream as soon as the end of the answer is handed over, and reset it when the client
        // has not yet allowed all of it to be sent. The stream ends by itself.
        isStopping = true
        leaveUnread(context)
    }

    /// A server that stops does not wait for a body that nobody reads.
    private func leaveUnread(_ context: ChannelHandlerContext) {
        guard isStopping, isAnsweredEarly, !isComplete else { return }
        let channel = context.channel
        context.eventLoop.scheduleTask(in: StreamWatch.farewell) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }
}
