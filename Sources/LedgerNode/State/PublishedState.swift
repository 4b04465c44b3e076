import LedgerProofs
import Synchronization

/// The newest committed state, for readers on any thread. Replaced as a whole by the sequencer.
final class PublishedState: Sendable {
    private let state: Mutex<LedgerState>

    init(_ state: LedgerState) { self.state = Mutex(state) }

    var current: LedgerState { state.withLock { $0 } }

    /// Asks a question without copying the state.
    func ask<R: Sendable>(_ question: (LedgerState) -> R) -> R { state.withLock { question($0) } }

    func publish(_ new: LedgerState) { state.withLock { $0 = new } }
}
