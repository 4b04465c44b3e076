import LedgerProofs
import SQLLedger
import SQLLedgerDigests

/// What an engine tells the uploader, kept in memory. The digest's time is another one at each call, as an engine that
/// makes digests on demand would have it.
actor MemorySource: DigestSource {
    private(set) var ledger = LedgerID.random()
    private(set) var locations: [DigestLocation] = []
    private var newest: BlockID?
    private var hashes: [BlockID: UInt8] = [:]
    private var callCount: Int64 = 0
    private(set) var recordCount = 0
    var isLocked = false

    struct Locked: Error {}

    func close(upTo block: UInt64) { newest = BlockID(block) }
    func rewrite(_ block: UInt64, hash: UInt8) { hashes[BlockID(block)] = hash }
    /// Another ledger in the same place.
    func replace() {
        ledger = LedgerID.random()
        (locations, newest, hashes) = ([], nil, [:])
    }

    func lock(_ value: Bool) { isLocked = value }

    func ledgerID() throws -> LedgerID {
        if isLocked { throw Locked() }
        return ledger
    }

    /// How many blocks are to be closed.
    var openCount: UInt64 = 0

    func open(_ count: UInt64) { openCount = count }

    private(set) var closeCount = 0

    func closeBlocks() throws {
        try Task.checkCancellation()
        closeCount += 1
        if isLocked { throw Locked() }
        guard openCount > 0 else { return }
        newest = BlockID((newest.map { $0.rawValue + 1 } ?? 0) + openCount - 1)
        openCount = 0
    }

    func newestBlock() throws -> BlockID? { newest }

    func digest(of block: BlockID) throws -> LedgerDigest {
        callCount += 1
        return try TestDigests.make(ledger, block: block.rawValue, hash: hashes[block], seconds: callCount)
    }

    func digestLocations() throws -> [DigestLocation] { locations }

    func record(_ location: DigestLocation) throws {
        if isLocked { throw Locked() }
        recordCount += 1
        locations.removeAll { $0.path == location.path }
        locations.append(location)
    }
}
