import LedgerProofs

/// Transactions that become durable together. The last one is a signature transaction, so a batch is also what
/// commits together.
struct SignedBatch: Sendable {
    var first: SequenceNumber
    var last: SequenceNumber
    /// The entries back to back, as they go to disk.
    var bytes: [UInt8]
    /// Where each entry starts in `bytes`.
    var offsets: [Int]
    /// The last entry carries the flag that ends its chunk.
    var endsChunk: Bool
}
