import SQLLedger

/// A digest store that can also say what else it found. Every store of this module is one.
public protocol DigestArchive: DigestStore {
    /// What the store holds for one ledger: the digests of block `first` and later ones, and what stands among all of them and
    /// is none.
    /// - Throws: `DigestStoreError`: `.unavailable`, `.refused`.
    func listing(for ledger: LedgerID, from first: BlockID) async throws -> DigestListing

    /// The blocks from `first` on of which the store holds digests, in ascending order, without a look at what proves them.
    /// - Throws: `DigestStoreError`: `.unavailable`, `.refused`.
    func blocks(of ledger: LedgerID, from first: BlockID) async throws -> [BlockID]

    /// The digests of one block, without reading the others. Empty when there is none.
    /// - Throws: `DigestStoreError`: `.unavailable`, `.refused`, `.damaged`.
    func digests(for ledger: LedgerID, block: BlockID) async throws -> [StoredDigest]

    /// Gives back connections. The store is not used afterwards.
    func close() async
}

extension DigestArchive {
    /// Everything the store holds for one ledger: its digests, and what stands among them and is none.
    /// - Throws: `DigestStoreError`: `.unavailable`, `.refused`.
    public func listing(for ledger: LedgerID) async throws -> DigestListing {
        try await listing(for: ledger, from: BlockID(0))
    }

    public func blocks(of ledger: LedgerID, from first: BlockID) async throws -> [BlockID] {
        Set(try await listing(for: ledger, from: first).digests.map(\.digest.block)).sorted()
    }

    /// For each of these blocks the digests of the first block, from it on, of which one is proved as far as this store
    /// proves any. Others are not asked for.
    /// - Throws: `DigestStoreError`: `.unavailable`, `.refused`.
    public func digests(for ledger: LedgerID, covering blocks: Set<BlockID>) async throws -> [StoredDigest] {
        guard let first = blocks.min() else { return [] }
        let there = try await self.blocks(of: ledger, from: first)
        var found: [BlockID: [StoredDigest]] = [:]
        for block in blocks {
            for candidate in there.drop(while: { $0 < block }) {
                if found[candidate] == nil {
                    found[candidate] = try await provedDigests(for: ledger, block: candidate)
                }
                if found[candidate]?.isEmpty == false { break }
            }
        }
        return found.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    private func provedDigests(for ledger: LedgerID, block: BlockID) async throws -> [StoredDigest] {
        do {
            return try await digests(for: ledger, block: block).filter(\.isUsable)
        } catch let error as DigestStoreError where error.code == .damaged {
            return []
        }
    }

    public func digests(for ledger: LedgerID) async throws -> [StoredDigest] {
        let listing = try await listing(for: ledger)
        let damage = listing.problems.filter { $0.kind == .damaged }
        guard damage.isEmpty else {
            throw DigestStoreError(.damaged, damage.map(\.description).joined(separator: "; "))
        }
        return listing.digests
    }

    public func close() async {}
}
