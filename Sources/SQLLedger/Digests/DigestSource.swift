/// A database whose digests are uploaded: what an uploader asks, and where it writes down how far it is.
public protocol DigestSource: Sendable {
    func ledgerID() async throws -> LedgerID

    /// Closes the open block, and every full one before it. Does nothing where nothing was written since.
    func closeBlocks() async throws

    /// The newest closed block; `nil` before the first.
    func newestBlock() async throws -> BlockID?

    /// The digest of a closed block. Its time may differ from call to call, the rest may not.
    func digest(of block: BlockID) async throws -> LedgerDigest

    /// All rows of `database_ledger_digest_locations`.
    func digestLocations() async throws -> [DigestLocation]

    /// Adds the row or replaces the one with this path. A newer block that the ledger has and that is known to be stored
    /// stays: there may be other uploaders.
    func record(_ location: DigestLocation) async throws
}
