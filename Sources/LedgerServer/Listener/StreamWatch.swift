import NIOCore

/// Closes an HTTP/2 connection that has had no stream for too long. The library asks an idle peer with a PING whether
/// it is there; one that never answers, never finishes its first frames or never opens a stream would stay forever.
///
/// Belongs to one connection; all calls come on its event loop.
final class StreamWatch {
    private let channel: any Channel
    private let limit: TimeAmount
    private var open = 0
    private var idleSince = NIODeadline.now()
    private var timer: Scheduled<Void>?
    private var isStopping = false

    /// How long a client may take to answer the PING that goes with GOAWAY, when nothing else is open.
    static let farewell = TimeAmount.milliseconds(250)

    init(_ channel: any Channel, limit: TimeAmount) {
        self.channel = channel
        self.limit = limit
    }

    /// Begins to watch; ends with the connection.
    func start() {
        let box = NIOLoopBound(self, eventLoop: channel.eventLoop)
        schedule(in: limit)
        channel.closeFuture.whenComplete { _ in
            box.value.timer?.cancel()
            box.value.timer = nil
        }
    }

    func streamOpened() { open += 1 }

    func streamClosed() {
        open -= 1
        guard open == 0 else { return }
        idleSince = .now()
        if isStopping { closeSoon() }
    }

    /// The server is stopping: from now on the connection ends when its last stream has.
    func stop() {
        guard !isStopping else { return }
        isStopping = true
        if open == 0 { closeSoon() }
    }

    private func closeSoon() {
        let box = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.eventLoop.scheduleTask(in: Self.farewell) {
            if box.value.open == 0 { box.value.channel.close(promise: nil) }
        }
    }

    /// One timer that looks again when it is due costs less than one for each stream.
    private func schedule(in delay: TimeAmount) {
        let box = NIOLoopBound(self, eventLoop: channel.eventLoop)
        timer = channel.eventLoop.scheduleTask(in: delay) { box.value.look() }
    }

    private func look() {
        if open > 0 { return schedule(in: limit) }
        let idle = NIODeadline.now() - idleSince
        if idle >= limit { return channel.close(promise: nil) }
        schedule(in: limit - idle)
    }
}
