import LedgerProofs

/// A current row that no stamp belongs to: one that was written past the ledger, or one whose stamp was taken away.
public struct UnstampedRow: Sendable {
    public var key: [NamedValue]

    /// The row as each schema version of its table reads it. Their links say nothing.
    public var versions: [RowVersion]

    public init(key: [NamedValue], versions: [RowVersion]) {
        self.key = key
        self.versions = versions
    }

    func finding(_ table: EvidenceTable, _ reason: String, _ repair: RepairProposal) -> Finding {
        Finding(.rowExtra, object: table.name, key: key, certainty: .proven, reason: reason, repair: repair)
    }
}

extension RepairProposal {
    /// For a row that must not be taken away, because a missing one may be made of its values.
    static func keep(_ table: EvidenceTable, _ key: [NamedValue]) -> RepairProposal {
        RepairProposal(
            .impossible, table: table.name, key: key,
            explanation:
                "a row of the table is missing or could not be told, and this one may be what is left of it; bring that "
                + "one back from a backup, then take this one away")
    }
}
