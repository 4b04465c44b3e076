import Synchronization

/// Digests of files that never change once committed, by name. Bounded.
final class FileDigests: Sendable {
    static let limit = 1000

    // Guarded by the lock: never more than `limit` elements.
    private let known = Mutex<[String: [UInt8]]>([:])

    subscript(name: String) -> [UInt8]? {
        get { known.withLock { $0[name] } }
    }

    func set(_ digest: [UInt8], for name: String) {
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[name] = digest
        }
    }
}
