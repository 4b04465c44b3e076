/// A place outside of the database where digests are kept.
///
/// Write-once: a digest that is stored stays. Every implementation passes one conformance suite.
public protocol DigestStore: Sendable {
    /// The URL by which people name the store, without credentials.
    var url: String { get }

    /// Stores a digest; durable once this returns. Storing the same bytes again changes nothing.
    /// - Throws: `DigestStoreError`: `.conflict` when another digest of this ledger and block is stored,
    ///   `.unavailable` when the store cannot be reached (the digest may or may not be stored: try again), `.refused`.
    func append(_ digest: LedgerDigest) async throws

    /// All digests of one ledger, in ascending order of their blocks. More than one of the same block, when the store
    /// holds them, are all returned.
    /// - Throws: `DigestStoreError`: `.unavailable`, `.refused`, `.damaged` when something stored is not a digest.
    func digests(for ledger: LedgerID) async throws -> [StoredDigest]
}
