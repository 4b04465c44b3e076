/// Why a batch was not acknowledged, and what is known about it.
struct ReplicationError: Error {
    enum Outcome: Sendable {
        /// Certainly not in the log, now or after a restart.
        case notWritten
        /// It may be there or not. The node must stop, and start-up finds out.
        case unknown
    }

    var outcome: Outcome
    var reason: String
    var isDiskFull: Bool
}
