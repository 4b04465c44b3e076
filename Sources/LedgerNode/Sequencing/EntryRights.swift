import LedgerProofs

/// What an entry's author must be allowed, and of which rights that was found last.
struct EntryRights: Sendable {
    var check: RightsCheck
    /// `LedgerState.rightsVersion`.
    var seen: SequenceNumber

    /// Throws what the check throws. Free of cost while users and roles stay as they were.
    func check(_ state: LedgerState) throws {
        guard state.rightsVersion != seen else { return }
        try check(LedgerRights(state: state))
    }
}
