import SQLLedger

/// A digest store that can also say what else it found. Every store of this module is one.
public protocol DigestArchive: DigestStore {
    /// Everything the store holds for one ledger: its digests, and what stands among them and is none.
    /// - Throws: `DigestStoreError`: `.unavailable`, `.refused`.
    func listing(for ledger: LedgerID) async throws -> DigestListing

    /// The digests of one block, without reading the others. Empty when there is none.
    /// - Throws: `DigestStoreError`: `.unavailable`, `.refused`, `.damaged`.
    func digests(for ledger: LedgerID, block: BlockID) async throws -> [StoredDigest]

    /// Gives back connections. The store is not used afterwards.
    func close() async
}

extension DigestArchive {
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
