import LedgerProofs

/// Reads one snapshot of a ledger, in streams: nothing here may take memory that grows with the ledger.
///
/// Errors end the verification with `VERIFIER_BLOCKED` for what could not be read.
public protocol LedgerEvidenceReader: AnyObject, Sendable {
    /// Which ledger the database says it is. `nil`: it holds none.
    func identity() throws -> EvidenceIdentity?

    /// Blocks with ids from `first` on in the order of their stored ids, all that there are (an id below 0, too, read
    /// without its sign, when `first` is 0). Each call of the result is the next one.
    func blocks(from first: BlockID) throws -> () throws -> StoredBlock?

    /// A complete node of the tree over the blocks, if it is stored.
    func blockNode(level: Int, position: UInt64) throws -> Digest32?

    /// Entries from `first` on in the order of their numbers, all that there are (a number of 0 or below, too, when
    /// `first` is 1). Each call of the result is the next one.
    func transactions(from first: TransactionNumber) throws -> () throws -> StoredTransaction?

    /// All schema events, in the order of the event table.
    func schemaEvents() throws -> () throws -> StoredSchemaEvent?

    /// The stored chunk of leaves as it is, if there is one; empty if what is stored are no bytes. Is asked for while rows
    /// are scanned, too.
    func leafChunk(_ transaction: TransactionNumber, _ table: TableID, chunk: UInt64) throws -> [UInt8]?

    /// The stored root chunk as it is, if there is one: the roots of the chunks 128 `chunk` to 128 `chunk` + 127.
    func rootChunk(_ transaction: TransactionNumber, _ table: TableID, chunk: UInt64) throws -> [UInt8]?

    /// The stored chunk of a block's transaction leaves as it is, if there is one.
    func transactionChunk(_ block: BlockID, chunk: UInt64) throws -> [UInt8]?

    /// Where the database says that it uploads digests to.
    func digestLocations() throws -> [StoredDigestLocation]

    /// Where the row versions of `table` are, cut into at least `count` parts if they are many. All parts together are
    /// all rows. `after`: parts may leave out what cannot belong to later transactions.
    func partitions(
        of table: EvidenceTable, count: Int, after: TransactionNumber?
    ) throws -> [EvidencePartition]

    /// Reads every row of a part, computes its leaves and hands them to `sink`. With `after`, only leaves of later
    /// transactions are handed over.
    func scan(_ partition: EvidencePartition, after: TransactionNumber?, into sink: LeafSink) throws

    /// Reads the versions of a part with their values, as far as `wanted` says so. Slow; for what went wrong.
    func versions(
        _ partition: EvidencePartition, wanted: (VersionLinks) -> Bool, _ body: (RowVersion) throws -> Void
    ) throws

    /// The checks that only the engine can make: of its capture, views, indexes, definitions and coverage. Small
    /// pieces, so that they can be shared out. `tables` are those in scope. `after`: what reads whole tables may leave out what
    /// earlier transactions wrote.
    func engineChecks(
        _ tables: [EvidenceTable], history: SchemaHistory, whole: Bool, after: TransactionNumber?
    ) throws -> [EngineCheck]
}
