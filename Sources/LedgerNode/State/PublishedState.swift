import LedgerProofs
import Synchronization

/// The newest committed state, for readers on any thread, and which transactions callers were told of before they are
/// committed. Replaced as a whole by the committer.
final class PublishedState: Sendable {
    private struct Contents {
        var ledger: LedgerState
        /// The view that writes get; `nil` when nothing is written any more.
        var view: View?
        /// The newest id that a caller was told, in that view.
        var told: TransactionID?
    }

    private let contents: Mutex<Contents>

    /// - Parameter view: the view that writes get.
    init(_ ledger: LedgerState, view: View) { contents = Mutex(Contents(ledger: ledger, view: view)) }

    var current: LedgerState { contents.withLock { $0.ledger } }

    /// Asks a question without copying the state.
    func ask<R: Sendable>(_ question: (LedgerState) -> R) -> R { contents.withLock { question($0.ledger) } }

    func publish(_ new: LedgerState) { contents.withLock { $0.ledger = new } }

    /// A caller is about to be told this id, whose transaction has its place and is not durable yet.
    func tell(_ id: TransactionID) {
        contents.withLock { contents in
            // An id of a view that has ended was lost meanwhile.
            guard id.view == contents.view, id.seqno > contents.told?.seqno ?? .zero else { return }
            contents.told = id
        }
    }

    /// Writes get another view from now on (`nil`: there are none any more). Ids told before that are not committed are
    /// not pending either.
    func enter(_ view: View?) {
        contents.withLock { contents in
            contents.view = view
            contents.told = nil
        }
    }

    func status(of id: TransactionID) -> TransactionStatus {
        contents.withLock { contents in
            let status = contents.ledger.status(of: id)
            guard status == .unknown, let told = contents.told, id.view == told.view, id.seqno <= told.seqno else {
                return status
            }
            return .pending
        }
    }
}
