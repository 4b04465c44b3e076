import LedgerProofs

/// Entries as they are written, for ever, one page in memory at a time. Ends when its task is cancelled.
public struct EntryFeed: AsyncSequence, Sendable {
    public typealias Element = EntryRecord

    let client: LedgerClient
    let filter: EntryFilter
    let last: TransactionID?
    let interval: Duration

    public func makeAsyncIterator() -> Iterator {
        Iterator(client: client, filter: filter, seen: last, interval: interval)
    }

    public struct Iterator: AsyncIteratorProtocol {
        let client: LedgerClient
        var filter: EntryFilter
        var seen: TransactionID?
        let interval: Duration
        var pages: EntrySequence.Iterator?
        var hasBegun = false

        /// Errors: those of a read.
        public mutating func next() async throws -> EntryRecord? {
            do {
                if !hasBegun {
                    if seen == nil, filter.from == nil { seen = try await client.lastCommitted() }
                    hasBegun = true
                }
                while !Task.isCancelled {
                    if pages == nil {
                        if let seen { filter.from = seen }
                        pages = client.entries(filter).makeAsyncIterator()
                    }
                    while let entry = try await pages?.next() {
                        if let seen, entry.transactionID <= seen { continue }
                        seen = entry.transactionID
                        return entry
                    }
                    pages = nil
                    try await Task.sleep(for: interval)
                }
                return nil
            } catch is CancellationError {
                return nil
            }
        }
    }
}
