import LedgerProofs

/// What the ledger says was at a place: proven by the table root, with unproven checks of its columns.
struct ExpectedLeaf {
    var hash: Digest32
    /// Empty where no chunk is stored.
    var checks: [UInt16]
}

/// What is stored at a place.
struct FoundLeaf {
    var place: RowStart
    var operation: RowOperation
    /// Index into the localiser's versions.
    var version: Int
    var hash: Digest32
}
