import GRDB
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
        if let time = query.fromTime {
            switch try first(atOrAfter: time, query, from: from, to: to) {
            case .none: return page
            case .found(let seqno): from = seqno
            case .later(let seqno):
                page.next = seqno
                return page
            }
        }
        let found = try indexer.entries.seqnos(
            in: query.collectionID, from: from, to: to, tag: query.tag, author: query.author, limit: query.limit + 1)
        var byteCount = 0
        for (position, seqno) in found.enumerated() {
            if position == query.limit {
                page.next = seqno
                break
            }
            guard let entry = try entry(seqno, collectionID: query.collectionID) else {
                throw Self.contradiction(seqno)
            }
            if let low = query.fromTime, entry.timeMicroseconds < low { continue }
            if let high = query.toTime, entry.timeMicroseconds > high { break }
            byteCount += Self.answerByteCount(entry.contents)
            if byteCount > Ledger.pageByteCountLimit, !page.entries.isEmpty {
                page.next = seqno
                break
            }
            page.entries.append(entry)
        }
        return page
    }

    /// Bytes of a text in an answer, where JSON writes some characters with two and others with six.
    private static func answerByteCount(_ text: String) -> Int {
        text.utf8.reduce(0) { count, byte in
            switch byte {
            case 0..<0x20: count + 6
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): count + 2
            default: count + 1
            }
        }
    }

    /// The index is wrong, not the ledger.
    private static func contradiction(_ seqno: SequenceNumber) -> DatabaseError {
        DatabaseError(
            resultCode: .SQLITE_CORRUPT, message: "it lists seqno \(seqno), which holds no entry of that collection")
    }

    private enum Start {
        case found(SequenceNumber)
        /// Nothing up to here; there is more to look through.
        case later(SequenceNumber)
        case none
    }

    /// The first entry of the query that is not older than `time`. Times never decrease, so it is found by halving what
    /// lies between two points of the index; an older index has few points, so that there are several such stretches.
    private func first(
        atOrAfter time: Int64, _ query: EntryQuery, from: SequenceNumber, to: SequenceNumber
    ) throws -> Start {
        func isOlder(_ seqno: SequenceNumber) throws -> Bool {
            guard let entry = try entry(seqno, collectionID: query.collectionID) else {
                throw Self.contradiction(seqno)
            }
            return entry.timeMicroseconds < time
        }
        var from = from
        for _ in 0..<Self.stretchesPerPage {
            let found = try indexer.entries.seqnos(
                in: query.collectionID, from: from, to: to, tag: query.tag, author: query.author,
                limit: Self.stretch)
            guard let last = found.last else { return .none }
            if try isOlder(last) {
                guard found.count == Self.stretch else { return .none }
                from = last.next
                continue
            }
            var (low, high) = (0, found.count - 1)
            while low < high {
                let middle = (low + high) / 2
                if try isOlder(found[middle]) { low = middle + 1 } else { high = middle }
            }
            return .found(found[low])
        }
        return .later(from)
    }

    private static let stretch = 1_024
    private static let stretchesPerPage = 64
}
