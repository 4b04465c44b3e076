import LedgerProofs

/// A batch on its way from the sequencer to the committer, with everybody who waits for it.
struct SealedBatch {
    /// The sequencer's tip when the batch was begun. A batch of a generation that has ended is refused unwritten.
    var generation: Int
    /// What is to be written; `nil` when the batch holds nothing but answers, or must not be written any more.
    var output: BatchBuilder.Output?
    /// Why there is nothing to write although there should be.
    var signingFailure: String?
    var written: [(ticket: WriteTicket, id: TransactionID)] = []
    /// Answers that need no transaction but were found on state that is not durable yet: true only if it becomes so.
    var answers: [(ticket: WriteTicket, result: WriteTicket.Result)] = []
    /// Writes looked at, the refused ones included.
    var taken = 0
    /// When it had all that it was to hold.
    var sealedAt = ContinuousClock.now

    var tickets: [WriteTicket] { written.map(\.ticket) + answers.map(\.ticket) }
}
