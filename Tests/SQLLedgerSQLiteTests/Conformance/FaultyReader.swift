import Foundation
import LedgerProofs
import SQLLedger

/// A reader of SQLite with a fault. Used by one thread.
final class FaultyReader: LedgerEvidenceReader, @unchecked Sendable {
    private let base: any LedgerEvidenceReader
    private let fault: EngineFault
    private let reopen: () throws -> any LedgerEvidenceReader
    private var generation = 0

    init(
        _ reader: any LedgerEvidenceReader, _ fault: EngineFault,
        reopen: @escaping () throws -> any LedgerEvidenceReader
    ) {
        base = reader
        self.fault = fault
        self.reopen = reopen
    }

    /// The reader's own snapshot, or a new one each time.
    private func reader() throws -> any LedgerEvidenceReader { fault == .readersApart ? try reopen() : base }

    private static func all<T>(_ next: () throws -> T?) throws -> [T] {
        var all: [T] = []
        while let element = try next() { all.append(element) }
        return all
    }

    private func stream<T>(_ elements: [T]) -> () throws -> T? {
        var index = 0
        generation += 1
        let mine = generation
        return { [self] in
            if fault == .oneStreamAtATime, generation != mine { return nil }
            guard index < elements.count else { return nil }
            defer { index += 1 }
            return elements[index]
        }
    }

    func identity() throws -> EvidenceIdentity? {
        var identity = try base.identity()
        if fault == .otherFormat { identity?.format += 1 }
        return identity
    }

    func blocks(from first: BlockID) throws -> () throws -> StoredBlock? {
        var blocks = try Self.all(reader().blocks(from: first))
        if fault == .blocksBackwards { blocks.reverse() }
        if fault == .blockSkipped { blocks.removeAll { $0.id == BlockID(1) } }
        return stream(blocks)
    }

    func transactions(from first: TransactionNumber) throws -> () throws -> StoredTransaction? {
        let isWhole = fault == .transactionsFromTheStart
        var all = try Self.all(reader().transactions(from: isWhole ? TransactionNumber(1) : first))
        if fault == .transactionSkipped { all.removeAll { $0.id == 3 } }
        for index in all.indices {
            if fault == .ordinalsFromOne { all[index].ordinal = all[index].ordinal.map { $0 + 1 } }
            if fault == .principalOfAnother, index > 0 { all[index].principal = all[0].principal }
            if fault == .timesBackwards, index > 0 { all[index].commitTime = "2020-01-01T00:00:00.000000Z" }
        }
        return stream(all)
    }

    func schemaEvents() throws -> () throws -> StoredSchemaEvent? {
        var events = try Self.all(reader().schemaEvents())
        if fault == .eventSkipped { events.removeLast() }
        return stream(events)
    }

    func blockNode(level: Int, position: UInt64) throws -> Digest32? {
        fault == .noNodes ? nil : try base.blockNode(level: level, position: position)
    }

    func leafChunk(_ transaction: TransactionNumber, _ table: TableID, chunk: UInt64) throws -> [UInt8]? {
        if fault == .noChunks { return nil }
        var bytes = try base.leafChunk(transaction, table, chunk: chunk)
        if fault == .leafAltered { bytes?[0] ^= 1 }
        guard fault == .chunksTogether, let bytes else { return bytes }
        return bytes + (try base.leafChunk(transaction, table, chunk: chunk + 1) ?? [])
    }

    func rootChunk(_ transaction: TransactionNumber, _ table: TableID, chunk: UInt64) throws -> [UInt8]? {
        fault == .rootsAltered ? [0] : try base.rootChunk(transaction, table, chunk: chunk)
    }

    func transactionChunk(_ block: BlockID, chunk: UInt64) throws -> [UInt8]? {
        try base.transactionChunk(block, chunk: chunk)
    }

    func digestLocations() throws -> [StoredDigestLocation] { try base.digestLocations() }

    func partitions(
        of table: EvidenceTable, count: Int, after: TransactionNumber?
    ) throws -> [EvidencePartition] {
        let parts = try base.partitions(of: table, count: count, after: after)
        return fault == .partTwice && count > 1 ? parts + [parts[0]] : parts
    }

    func scan(_ partition: EvidencePartition, after: TransactionNumber?, into sink: LeafSink) throws {
        if fault == .scanOfLiveRowsOnly || fault == .historyUnread, partition.kind == .history { return }
        try base.scan(partition, after: fault == .afterIgnored ? nil : after, into: sink)
        if fault == .oneLeafTooMany { sink.created(transaction: 1, sequence: 9, leaf: .zero) }
    }

    func versions(
        _ partition: EvidencePartition, wanted: (VersionLinks) -> Bool, _ body: (RowVersion) throws -> Void
    ) throws {
        if fault == .liveRowsOnly, partition.kind == .history { return }
        try reader().versions(partition, wanted: { fault == .wantedIgnored || wanted($0) }) { version in
            var version = version
            if fault == .valueOfAnotherType, case .real(let value) = version.values.last {
                version.values[version.values.count - 1] = .text(String(value))
            }
            if fault == .oldColumnNames { version.columns = version.columns.map { $0 == "reserve" ? "spare" : $0 } }
            if fault == .placesShifted { version.links.start.sequence = version.links.start.sequence.next }
            try body(version)
        }
    }

    func engineChecks(
        _ tables: [EvidenceTable], history: SchemaHistory, whole: Bool, after: TransactionNumber?
    ) throws -> [EngineCheck] { [] }
}
