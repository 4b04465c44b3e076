/// Why a batch was not acknowledged, and what is known about it.
struct ReplicationError: Error {
    enum Outcome: Sendable {
        /// Certainly not in the log, now or after a restart.
        case notWritten
        /// It may be there or not. The node must stop, and start-up finds out.
        case unknown
    }

    var outcome: Outcome
    /// For the log.
    var reason: String
    /// The same for callers, without paths of this machine.
    var told: String
    var isDiskFull: Bool

    init(_ outcome: Outcome, reason: String) {
        self.outcome = outcome
        self.reason = reason
        told = reason
        isDiskFull = false
    }

    init(_ outcome: Outcome, _ error: DiskError) {
        self.outcome = outcome
        reason = error.description
        told = error.told
        isDiskFull = error.isDiskFull
    }
}
