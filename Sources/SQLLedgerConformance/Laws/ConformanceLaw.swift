/// The laws of the engine contract, each checked on a new database.
public enum ConformanceLaw: String, CaseIterable, Sendable {
    /// Every reader says which ledger it is, the one of the digests, in the format that is known.
    case identity
    /// Blocks come in ascending order without gaps, are chained, follow each other's transactions, and hash to the digests.
    case blocks
    /// Entries come in ascending order without gaps, with times that never decrease, in their places in blocks, with the
    /// principals and numbers of row operations of what was done.
    case transactions
    /// Every schema change is an event, in order.
    case schemaEvents
    /// Streams start anywhere, again and again, beside each other, on every reader alike.
    case streams
    /// Live rows and history are exactly the versions of what was done, in any number of parts, with the values, columns
    /// and places that they were created and ended with.
    case versions
    /// The leaves of all versions fold to the table roots of their transactions.
    case leaves
    /// Scans hand over one leaf for each row operation, and after a transaction only those of later ones.
    case scans
    /// Stored chunks have at most 128 leaves and are those of the tables and blocks; stored nodes are those of the blocks.
    case storedHashes
    /// What is written while evidence is read is not seen, by no reader.
    case snapshot
    /// An honest history is verified, with any number of jobs, and nothing is without digests.
    case verification
    /// Every digest stays true; a wrong, future or foreign one is not.
    case digests
    /// A transaction that is rolled back leaves nothing, and no gap.
    case rollback
    /// Append-only tables refuse other changes than inserts, and nothing of a refused transaction is left.
    case appendOnly
    /// Evidence of rows is verified, and discloses these rows only.
    case evidence
}
