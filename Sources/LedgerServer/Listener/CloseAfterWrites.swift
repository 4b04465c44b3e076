import NIOCore

/// Lets a connection close only when everything written on it has gone out, or after `limit`.
///
/// The library closes an HTTP/2 connection that is ending while it is still writing the end of the last stream, and TLS
/// drops what is not flushed by then: the whole of a short answer. Stands between TLS and HTTP/2.
final class CloseAfterWrites: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let limit: TimeAmount
    private var closing: EventLoopPromise<Void>?
    private var timer: Scheduled<Void>?

    init(limit: TimeAmount) { self.limit = limit }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all else { return context.close(mode: mode, promise: promise) }
        if let closing {
            if let promise { closing.futureResult.cascade(to: promise) }
            return
        }
        let closing = context.eventLoop.makePromise(of: Void.self)
        self.closing = closing
        if let promise { closing.futureResult.cascade(to: promise) }
        let box = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        // In the next turn of the loop, because the call may come from within a write.
        context.eventLoop.execute { box.value.handler.flush(box.value.context, closing) }
    }

    private func flush(_ context: ChannelHandlerContext, _ closing: EventLoopPromise<Void>) {
        let box = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: limit) { box.value.handler.finish(box.value.context, closing) }
        // An empty write keeps its place behind the others.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            box.value.handler.finish(box.value.context, closing)
        }
    }

    private func finish(_ context: ChannelHandlerContext, _ closing: EventLoopPromise<Void>) {
        guard let timer else { return }
        self.timer = nil
        timer.cancel()
        context.close(promise: closing)
    }
}
