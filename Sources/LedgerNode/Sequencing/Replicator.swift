/// Makes signed batches durable. The file log is the single-node implementation; a replicated one honours the
/// same contract and passes the same conformance suite.
protocol Replicator: Sendable {
    /// Appends the batch that follows the previous one. When it returns, the batch is durable and committed.
    /// Throws `ReplicationError` otherwise.
    func append(_ batch: SignedBatch) throws(ReplicationError)

    /// Housekeeping that may follow an append after its callers have been answered (ending a chunk).
    /// A failure makes the next `append` try it again first.
    func settle() throws(ReplicationError)
}
