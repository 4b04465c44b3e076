import SQLLedger

/// The digests that a verification compares a database with, and what was wrong with the places they came from.
///
/// ```swift
/// var gathered = GatheredDigests()
/// await gathered.add(digestsOf: ledger, from: store)
/// let report = LedgerVerifier(VerificationOptions(jobs: 2)).verify(try SQLiteEvidence.open(path: path), with: gathered)
/// ```
public struct GatheredDigests: Sendable {
    public private(set) var digests: [StatedDigest] = []
    /// The URLs of the stores that answered.
    public private(set) var stores: [String] = []
    /// Stores that could not be read or are damaged, and digests that their receipts do not prove. They belong into the report:
    /// without them a verification would pass over a store that is gone.
    public private(set) var findings: [Finding] = []
    public private(set) var notes: [String] = []

    public init() {}

    /// Digests that were kept outside of the database. `origin` is a file or another place, in words.
    public mutating func add(_ kept: [LedgerDigest], from origin: String) {
        digests += kept.map { StatedDigest($0, origin: origin) }
        notes.append(Self.counted(kept.count, from: origin))
    }

    /// A fact for the report.
    public mutating func note(_ text: String) { notes.append(text) }

    /// Asks a store for the digests of `ledger`, of block `first` and later ones. A store that cannot be read, and a digest whose
    /// receipt is wrong, are findings.
    public mutating func add(
        digestsOf ledger: LedgerID, from store: any DigestArchive, since first: BlockID = BlockID(0)
    ) async {
        let listing: DigestListing
        do {
            listing = try await store.listing(for: ledger, from: first)
        } catch {
            let message = "\(error)"
            let reason = message.hasSuffix(".") ? String(message.dropLast()) : message
            findings.append(
                Finding(.verifierBlocked, object: store.url, reason: "The digest store could not be read: \(reason)."))
            return
        }
        stores.append(store.url)
        let damages = listing.problems.filter { $0.kind == .damaged }
        notes += listing.problems.filter { $0.kind != .damaged }.map(\.description)
        report(
            damages.map {
                Finding(
                    .readUntrusted, object: store.url, reason: "The digest store is damaged: \($0).", count: $0.count)
            }, of: store, "The digest store is damaged in other places, too.")
        if listing.digests.isEmpty {
            let those = first.rawValue == 0 ? "" : " from block \(first) on"
            notes.append("\(store.url) holds no digest of this ledger\(those)")
        }
        var unproved: [Finding] = []
        let usable = listing.digests.filter { isUsable($0, &unproved) }
        report(unproved, of: store, "The receipts of other digests do not prove them either.")
        guard !usable.isEmpty else { return }
        digests += usable.map { StatedDigest($0.digest, origin: $0.origin, store: store.url) }
        let isProved = usable.contains { if case .verified = $0.receipt { true } else { false } }
        notes.append(
            Self.counted(usable.count, from: store.url)
                + (isProved ? ", each proved by its receipt against the pinned service certificate" : ""))
    }

    /// The first ones, and how many there are besides.
    private mutating func report(_ all: [Finding], of store: any DigestArchive, _ others: String) {
        findings += all.prefix(Self.listLimit)
        let rest = all.dropFirst(Self.listLimit).reduce(0) { $0 + $1.count }
        guard rest > 0 else { return }
        findings.append(Finding(.readUntrusted, object: store.url, reason: others, count: rest))
    }

    private static let listLimit = 10

    /// Says why where it is not.
    private mutating func isUsable(_ stored: StoredDigest, _ unproved: inout [Finding]) -> Bool {
        switch stored.receipt {
        case .none, .verified: return true
        case .pending:
            notes.append("\(stored.origin): has no receipt yet and was not used")
        case .invalid(let reasons):
            unproved.append(
                Finding(
                    .readUntrusted, object: stored.origin, block: stored.digest.block,
                    reason: "The receipt of this digest does not prove it: \(reasons.joined(separator: "; "))."))
        }
        return false
    }

    private static func counted(_ count: Int, from source: String) -> String {
        "\(count) digest\(count == 1 ? "" : "s") from \(source)"
    }
}

extension LedgerVerifier {
    /// Verifies against digests that were gathered outside, in addition to those of the options. What was wrong with their
    /// places stands in the report.
    public func verify(_ evidence: any LedgerEvidence, with gathered: GatheredDigests) -> VerificationReport {
        var options = options
        options.digests = gathered.digests + options.digests
        options.stores = gathered.stores + options.stores
        var report = LedgerVerifier(options).verify(evidence)
        report.findings += gathered.findings
        report.notes += gathered.notes
        return report
    }
}
