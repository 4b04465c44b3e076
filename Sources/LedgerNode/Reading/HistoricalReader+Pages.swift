import LedgerProofs

extension HistoricalReader {
    /// One page of a range read. Blocks. Requires that the index has reached `readAt`.
    func page(_ query: EntryQuery, readAt: TransactionID) throws -> EntryPage {
        let upper = min(query.to ?? readAt.seqno, readAt.seqno)
        var from = max(query.from ?? SequenceNumber(1), SequenceNumber(1))
        var to = upper
        if query.fromTime != nil || query.toTime != nil {
            let bounds = try indexer.entries.seqnoBounds(fromTime: query.fromTime, toTime: query.toTime)
            if let low = bounds.from { from = max(from, low) }
            if let high = bounds.to { to = min(to, high) }
        }
        var page = EntryPage(entries: [], next: nil, upperBound: upper, readAt: readAt)
        guard from <= to else { return page }
        let found = try indexer.entries.seqnos(
            in: query.collectionID, from: from, to: to, tag: query.tag, author: query.author, limit: query.limit + 1)
        var byteCount = 0
        for (position, seqno) in found.enumerated() {
            if position == query.limit || byteCount > Ledger.pageByteCountLimit {
                page.next = seqno
                break
            }
            guard let entry = try entry(seqno, collectionID: query.collectionID) else {
                throw LedgerError(
                    .corrupt, "the index lists seqno \(seqno), but it holds no entry of that collection")
            }
            if let low = query.fromTime, entry.timeMicroseconds < low { continue }
            if let high = query.toTime, entry.timeMicroseconds > high { break }
            byteCount += entry.contents.utf8.count
            page.entries.append(entry)
        }
        return page
    }
}
