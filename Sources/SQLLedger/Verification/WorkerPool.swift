import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs tasks on some threads, each with its own reader. Threads, not tasks of the concurrency runtime: readers block.
struct WorkerPool: Sendable {
    typealias Task = @Sendable (Worker) -> Void

    /// What one thread owns.
    final class Worker: @unchecked Sendable {
        let reader: any LedgerEvidenceReader
        let sink: LeafSink

        init(reader: any LedgerEvidenceReader, sink: LeafSink) {
            self.reader = reader
            self.sink = sink
        }
    }

    private final class Queue: Sendable {
        let tasks: [Task]
        let next = Atomic<Int>(0)

        init(_ tasks: [Task]) { self.tasks = tasks }

        func work(_ worker: Worker) {
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < tasks.count else { return }
                tasks[index](worker)
            }
        }
    }

    private final class Share {
        let queue: Queue
        let worker: Worker

        init(queue: Queue, worker: Worker) {
            self.queue = queue
            self.worker = worker
        }
    }

    let workers: [Worker]

    /// Returns when all tasks are done. The calling thread works too.
    func run(_ tasks: [Task]) {
        let queue = Queue(tasks)
        var threads: [pthread_t] = []
        for worker in workers.dropFirst().prefix(max(tasks.count - 1, 0)) {
            let share = Unmanaged.passRetained(Share(queue: queue, worker: worker))
            #if canImport(Darwin)
                var thread: pthread_t?
                let status = pthread_create(&thread, nil, { Self.main($0) }, share.toOpaque())
            #else
                var thread = pthread_t()
                let status = pthread_create(
                    &thread, nil, { argument in argument.flatMap { WorkerPool.main($0) } }, share.toOpaque())
            #endif
            guard status == 0 else {
                share.release()
                continue
            }
            #if canImport(Darwin)
                if let thread { threads.append(thread) }
            #else
                threads.append(thread)
            #endif
        }
        if let first = workers.first { queue.work(first) }
        for thread in threads { pthread_join(thread, nil) }
    }

    private static func main(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        let share = Unmanaged<Share>.fromOpaque(argument).takeRetainedValue()
        share.queue.work(share.worker)
        return nil
    }
}
