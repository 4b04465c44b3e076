import SQLLedger
import Synchronization

/// What all readers of one verification have in common.
final class SharedEvidence: Sendable {
    let notes = Mutex<[String]>([])
    let history = Mutex<SchemaHistory?>(nil)

    func note(_ text: String) {
        notes.withLock { if !$0.contains(text) { $0.append(text) } }
    }
}
