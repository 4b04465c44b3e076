/// The entries of a range, one page in memory at a time.
public struct EntrySequence: AsyncSequence, Sendable {
    public typealias Element = EntryRecord

    let client: LedgerClient
    let target: String

    public func makeAsyncIterator() -> Iterator { Iterator(client: client, next: target) }

    public struct Iterator: AsyncIteratorProtocol {
        let client: LedgerClient
        var next: String?
        var page: ArraySlice<EntryRecord> = []
        var last: EntryRecord?

        /// Errors: those of a read; `unexpectedResponse` when the entries do not ascend.
        public mutating func next() async throws -> EntryRecord? {
            while page.isEmpty {
                guard let target = next else { return nil }
                try Task.checkCancellation()
                let (entries, following, isLoading) = try await client.page(at: target)
                next = following
                page = entries[...]
                if page.isEmpty, isLoading || following == target { try await Task.sleep(for: .milliseconds(300)) }
            }
            let entry = page.removeFirst()
            if let last, entry.transactionID <= last.transactionID {
                throw LedgerClientError(
                    .unexpectedResponse,
                    "range: entry \(entry.transactionID) follows \(last.transactionID), ids must ascend")
            }
            last = entry
            return entry
        }
    }
}
