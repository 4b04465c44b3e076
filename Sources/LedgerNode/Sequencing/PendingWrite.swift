/// A write that waits to be sequenced.
struct PendingWrite: Sendable {
    enum Work: Sendable {
        case entry(PreparedEntry, EntryRights?)
        /// A change of the small state, decided against the state it will follow. `nil`: nothing to write.
        case change(@Sendable (LedgerState) throws -> StateChange?)
    }

    var work: Work
    var ticket: WriteTicket
}
