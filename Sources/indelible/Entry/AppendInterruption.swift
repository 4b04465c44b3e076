import Dispatch
import Foundation
import Synchronization

/// Tells how to go on when SIGINT or SIGTERM comes in the middle of many appends. The signal then ends the program, as it
/// would have without this.
final class AppendInterruption: Sendable {
    private struct Counts {
        var finished = 0
        var printed: Int
        var isOver = false
    }

    private let counts: Mutex<Counts>

    /// `printed`: how many entries of the input came before.
    init(printed: Int) { counts = Mutex(Counts(printed: printed)) }

    /// One more entry was committed. Told by whoever sent it: waiting for input keeps the rest of the run from noticing.
    func finishOne() { counts.withLock { $0.finished += 1 } }

    /// How many entries of the input's beginning have their ids printed.
    func update(printed: Int) { counts.withLock { $0.printed = printed } }

    /// Runs `body` with the two signals watched; `advice` makes the message from the two counts. A queue of its own watches,
    /// because reading standard input holds a thread of the tasks.
    func watched<R>(
        _ bar: ProgressBar, advice: @escaping @Sendable (_ finished: Int, _ printed: Int) -> String,
        _ body: () async throws -> R
    ) async rethrows -> R {
        // Whoever started the program with a signal ignored, as `nohup` does, goes on without it.
        let ignored = unsafeBitCast(SIG_IGN, to: Int.self)
        let numbers = [SIGINT, SIGTERM].filter { unsafeBitCast(signal($0, SIG_IGN), to: Int.self) != ignored }
        let sources = numbers.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: DispatchQueue(label: "interruption"))
            source.setEventHandler { [self] in
                // Held while the program ends, so that no count changes after it was told.
                counts.withLock { counts in
                    guard !counts.isOver else { return }
                    bar.clear()
                    Output.error("interrupted: " + advice(counts.finished, counts.printed))
                    // The threads of queues have signals blocked, and the source has it blocked everywhere.
                    signal(number, SIG_DFL)
                    var unblocked = sigset_t()
                    sigemptyset(&unblocked)
                    sigaddset(&unblocked, number)
                    pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
                    raise(number)
                    exit(128 + number)
                }
            }
            source.resume()
            return source
        }
        defer {
            counts.withLock { $0.isOver = true }
            for source in sources { source.cancel() }
            for number in numbers { signal(number, SIG_DFL) }
        }
        return try await body()
    }
}
