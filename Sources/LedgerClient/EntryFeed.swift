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

    /// After an error it can be asked again and goes on where it was.
    public struct Iterator: AsyncIteratorProtocol {
        let client: LedgerClient
        var filter: EntryFilter
        var seen: TransactionID?
        let interval: Duration
        var pages: EntrySequence.Iterator?
        var hasBegun = false
        /// The entry at `seen`, when it came from here.
        var shown: EntryRecord?
        /// Since when the ledger has not known `seen`.
        var unknownSince: ContinuousClock.Instant?

        /// Another node of the service may know less for a while.
        private static let patience = Duration.seconds(30)

        /// Errors: those of a read; `proofFailed` when the ledger no longer has what was seen last.
        public mutating func next() async throws -> EntryRecord? {
            do {
                if !hasBegun {
                    if seen == nil, filter.from == nil { seen = try await client.lastCommitted() }
                    hasBegun = true
                }
                while !Task.isCancelled {
                    if let entry = try await following() { return entry }
                    pages = nil
                    try await Task.sleep(for: interval)
                }
                return nil
            } catch is CancellationError {
                return nil
            } catch {
                pages = nil
                throw error
            }
        }

        /// The next entry of this round; `nil` when there is none.
        private mutating func following() async throws -> EntryRecord? {
            var isFirst = false
            if pages == nil {
                if let seen { filter.from = seen }
                pages = client.entries(filter).makeAsyncIterator()
                isFirst = true
            }
            while true {
                let entry = try await pages?.next()
                // Asked once there is an answer, so that it is about the ledger that answered.
                if isFirst, try await !hasSeen() { return nil }
                isFirst = false
                guard let entry else { return nil }
                if let seen, entry.transactionID <= seen {
                    if let shown, shown.transactionID == entry.transactionID, shown.contents != entry.contents {
                        throw lost(seen)
                    }
                    continue
                }
                seen = entry.transactionID
                shown = entry
                return entry
            }
        }

        /// Whether the ledger still has what was seen last; `false` while it cannot tell.
        private mutating func hasSeen() async throws -> Bool {
            guard let seen else { return true }
            do {
                if try await client.status(of: seen) == .committed {
                    unknownSince = nil
                    return true
                }
            } catch let error as LedgerClientError where error.code == .notFound {
                if error.serverCode == "TransactionInvalid" { throw lost(seen) }
            }
            let since = unknownSince ?? .now
            unknownSince = since
            guard since + Self.patience > .now else { throw lost(seen) }
            return false
        }

        private func lost(_ seen: TransactionID) -> LedgerClientError {
            LedgerClientError(
                .proofFailed,
                "the ledger does not have transaction \(seen): it was rolled back, an older copy was restored, or this is "
                    + "another ledger")
        }
    }
}
