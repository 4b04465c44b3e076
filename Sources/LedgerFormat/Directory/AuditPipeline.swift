import LedgerProofs

/// Lets the reader run a few windows ahead of the audit, so that reading, scanning, checking signatures and auditing
/// happen at the same time. The auditor gets everything in the order in which it was handed in.
struct AuditPipeline {
    private enum Step {
        case tell((inout LedgerAuditor) -> Void)
        /// The scans of a window, in order.
        case entries([WorkItem<[EntryScan]>], WindowBuffer)
    }

    private struct Limit {
        var bytes: Int
        var steps: Int
    }

    private let options: LedgerVerificationOptions
    private let crew: WorkCrew
    private var auditor: LedgerAuditor
    private var steps: [Step] = []
    private var bytesAhead = 0
    private var free: [WindowBuffer] = []

    init(options: LedgerVerificationOptions) {
        self.options = options
        crew = WorkCrew(helpers: options.helpers)
        auditor = LedgerAuditor(options: options, crew: crew)
    }

    /// Something for the auditor when everything before it is audited.
    mutating func tell(_ body: @escaping (inout LedgerAuditor) -> Void) {
        steps.append(.tell(body))
        catchUp(to: limit)
    }

    /// A buffer for a window of `count` bytes.
    mutating func buffer(count: Int) -> WindowBuffer {
        if let last = free.last, last.capacity >= count {
            free.removeLast()
            return last
        }
        return WindowBuffer(capacity: max(count, options.windowByteCount))
    }

    /// Takes the entries of a window. `start` is the place of the window in its file.
    mutating func add(_ pieces: [Range<Int>], of buffer: WindowBuffer, start: UInt64) {
        var items: [WorkItem<[EntryScan]>] = []
        var from = 0
        for (i, piece) in pieces.enumerated()
        where piece.upperBound - pieces[from].lowerBound >= options.unitByteCount || i == pieces.count - 1 {
            let unit = pieces[from...i]
            items.append(
                crew.item { [options] in
                    unit.map {
                        EntryScan(
                            UnsafeRawBufferPointer(rebasing: buffer.bytes[$0]), offset: start + UInt64($0.lowerBound),
                            options: options)
                    }
                })
            from = i + 1
        }
        steps.append(.entries(items, buffer))
        bytesAhead += buffer.capacity
        catchUp(to: limit)
    }

    private var limit: Limit { Limit(bytes: options.windowsAhead * options.windowByteCount, steps: 1024) }

    /// Audits until at most so much is waiting for it. Chunks without entries must not pile up either.
    private mutating func catchUp(to limit: Limit) {
        var done = 0
        while done < steps.count, bytesAhead > limit.bytes || steps.count - done > limit.steps {
            switch steps[done] {
            case .tell(let body): body(&auditor)
            case .entries(let items, let buffer):
                for item in items {
                    let scans = crew.value(of: item)
                    for i in scans.indices { auditor.add(scans[i]) }
                }
                bytesAhead -= buffer.capacity
                // All scans of the buffer are done.
                if buffer.capacity <= 2 * options.windowByteCount { free.append(buffer) }
            }
            done += 1
        }
        steps.removeFirst(done)
    }

    mutating func finish() -> LedgerVerificationReport {
        catchUp(to: Limit(bytes: 0, steps: 0))
        return auditor.finish()
    }
}
