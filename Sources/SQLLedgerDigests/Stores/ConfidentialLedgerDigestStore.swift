import LedgerClient
import LedgerProofs
import SQLLedger

/// Digests as entries of one collection of a confidential ledger; an entry's contents are the digest's JSON text.
///
/// Nothing that the server says is taken for granted: an append counts when its receipt, signed by a node of the pinned
/// service, is over these contents in this collection, and every digest that is read comes with the verdict on its
/// receipt. What a server can still do is to keep quiet about entries; the verification of the database notices that
/// as a gap.
public actor ConfidentialLedgerDigestStore: DigestArchive {
    nonisolated public let url: String
    /// The collection that holds the digests.
    nonisolated public let collection: String

    private let client: LedgerClient
    private let serviceCertificatePEM: String
    /// How many receipts are asked for at the same time.
    private static let parallelReceiptCount = 8

    /// An entry of the collection that is a digest. Its contents are exactly the digest's JSON text.
    private struct Known {
        var digest: LedgerDigest
        var transactionID: TransactionID
    }

    /// An entry of the collection, without its contents.
    private struct Found {
        enum Kind {
            case digest(LedgerDigest)
            case other
            case damaged(String)
        }

        var transactionID: TransactionID
        var kind: Kind
    }

    /// What has been read of the collection so far. A server only adds to it, so this is read again only when the server has
    /// an older copy of itself.
    private struct Read {
        var known: [LedgerID: [BlockID: [Known]]] = [:]
        var damage: [(transactionID: TransactionID, reason: String)] = []
        /// Entries that are no digests.
        var others: [TransactionID] = []
        /// How many of those were looked at, and which of them are proved to be what they are.
        var examinedCount = 0
        var proved: [TransactionID] = []
        var last: TransactionID?

        mutating func add(_ entry: Found) {
            last = entry.transactionID
            switch entry.kind {
            case .digest(let digest):
                known[digest.ledger, default: [:]][digest.block, default: []].append(
                    Known(digest: digest, transactionID: entry.transactionID))
            case .other: others.append(entry.transactionID)
            case .damaged(let reason): damage.append((entry.transactionID, reason))
            }
        }
    }

    private var read = Read()

    /// - Throws: `DigestStoreError.refused` when the endpoint, certificate or credential cannot be used. Nothing is sent.
    public init(_ configuration: LedgerClientConfiguration, collection: String) throws {
        do {
            client = try LedgerClient(configuration)
        } catch let error as LedgerClientError {
            throw DigestStoreError(.refused, error.reason)
        }
        serviceCertificatePEM = configuration.serviceCertificatePEM
        self.collection = collection
        url = "\(DigestStoreURL.confidentialLedger(endpoint: configuration.endpoint, collection: collection))"
    }

    public func close() async { await client.shutdown() }

    // A client that is given up without being shut down would end the process.
    deinit {
        let client = client
        Task { await client.shutdown() }
    }

    public func append(_ digest: LedgerDigest) async throws {
        let contents = try digest.readableJSON()
        try await mapping {
            try await readNewEntries()
            if let stored = try stored(digest) {
                // The server's word so far.
                _ = try await client.verifiedReceipt(
                    for: stored.transactionID, collectionID: collection, contents: contents)
                return
            }
            var options = AppendOptions()
            options.collectionID = collection
            options.requestID = RequestID.stable(batch: "\(url)\n\(contents)", index: 0)
            _ = try await client.append(contents, options: options)
            // Somebody else may have been quicker with another digest of this block.
            try await readNewEntries()
            _ = try stored(digest)
        }
    }

    /// The entry that holds exactly this digest.
    /// - Throws: `.conflict` when an older one holds another digest of its block.
    private func stored(_ digest: LedgerDigest) throws -> Known? {
        guard let first = read.known[digest.ledger]?[digest.block]?.first else { return nil }
        // Bytes, not characters: two spellings of one name are two digests.
        guard first.digest.json.utf8.elementsEqual(digest.json.utf8) else {
            throw DigestStoreError(
                .conflict,
                "\(origin(first.transactionID)) holds another digest of block \(digest.block): hash "
                    + "0x\(first.digest.hash.hex.uppercased()) of \(first.digest.digestTime), to be stored was hash "
                    + "0x\(digest.hash.hex.uppercased()) of \(digest.digestTime)")
        }
        return first
    }

    public func listing(for ledger: LedgerID, from firstBlock: BlockID) async throws -> DigestListing {
        try await mapping {
            try await readNewEntries()
            try await examineOthers()
            var problems = read.damage.map { entry in
                (
                    entry.transactionID,
                    DigestProblem(.damaged, origin: origin(entry.transactionID), reason: entry.reason)
                )
            }
            problems += foreign(to: ledger)
            if let first = read.proved.first {
                let count = read.proved.count
                problems.append(
                    (
                        first,
                        DigestProblem(
                            .other, origin: origin(first),
                            reason: count == 1
                                ? "an entry that is no digest, and never was, as its receipt proves"
                                : "the first of \(count) entries that are no digests, and never were, as their receipts prove",
                            count: UInt64(count))
                    ))
            }
            let entries = (read.known[ledger] ?? [:]).filter { $0.key >= firstBlock }.sorted { $0.key < $1.key }
                .flatMap(\.value)
            return DigestListing(
                digests: try await inParallel(entries) { try await self.checked($0) },
                problems: problems.sorted { $0.0 < $1.0 }.map(\.1))
        }
    }

    public func blocks(of ledger: LedgerID, from first: BlockID) async throws -> [BlockID] {
        try await mapping {
            try await readNewEntries()
            return (read.known[ledger] ?? [:]).keys.filter { $0 >= first }.sorted()
        }
    }

    /// One for each other ledger.
    private func foreign(to ledger: LedgerID) -> [(TransactionID, DigestProblem)] {
        read.known.filter { $0.key != ledger }.compactMap { other, blocks in
            let entries = blocks.values.joined()
            guard let first = entries.min(by: { $0.transactionID < $1.transactionID }) else { return nil }
            let what =
                entries.count == 1
                ? "a digest of ledger \(other), block \(first.digest.block)"
                : "the first of \(entries.count) digests of ledger \(other)"
            return (
                first.transactionID,
                DigestProblem(
                    .foreign, origin: origin(first.transactionID), reason: what, count: UInt64(entries.count))
            )
        }
    }

    public func digests(for ledger: LedgerID, block: BlockID) async throws -> [StoredDigest] {
        try await mapping {
            try await readNewEntries()
            return try await inParallel(read.known[ledger]?[block] ?? []) { try await self.checked($0) }
        }
    }

    // MARK: Reading

    /// Reads what was added to the collection since the last time; everything again when the entry that was the last one then
    /// is not there any more.
    private func readNewEntries() async throws {
        var found: [Found] = []
        if let last = read.last {
            var filter = EntryFilter(collectionID: collection)
            filter.from = last
            for try await entry in client.entries(filter) {
                if found.isEmpty, entry.transactionID != last { break }
                found.append(examine(entry))
            }
        }
        let isOlderCopy = read.last != nil && found.isEmpty
        if found.isEmpty {
            for try await entry in client.entries(EntryFilter(collectionID: collection)) {
                found.append(examine(entry))
            }
        }
        // Another call may have been quicker.
        if isOlderCopy { read = Read() }
        for entry in found where read.last.map({ $0 < entry.transactionID }) ?? true { read.add(entry) }
    }

    nonisolated private func examine(_ entry: EntryRecord) -> Found {
        guard ExactText.same(entry.collectionID, collection) else {
            return Found(
                transactionID: entry.transactionID,
                kind: .damaged("the server gave an entry of collection '\(entry.collectionID)'"))
        }
        return Found(
            transactionID: entry.transactionID, kind: Self.digest(entry.contents).map { .digest($0) } ?? .other)
    }

    /// The digest that these contents are, byte for byte as it is written.
    private static func digest(_ contents: String) -> LedgerDigest? {
        guard let digest = try? LedgerDigest(json: contents), digest.json.utf8.elementsEqual(contents.utf8) else {
            return nil
        }
        return digest
    }

    /// Whoever may write to the collection can put anything there, and it stays. Only where a receipt does not prove that
    /// it was put there is it damage: a digest may have stood in its place.
    private func examineOthers() async throws {
        while read.examinedCount < read.others.count {
            let others = read.others.suffix(from: read.examinedCount)
            let reasons = try await inParallel(Array(others)) { try await self.damage(of: $0) }
            // Another call may have been quicker.
            guard read.others.suffix(from: min(read.examinedCount, read.others.count)).starts(with: others) else {
                continue
            }
            for (other, reason) in zip(others, reasons) {
                if let reason { read.damage.append((other, reason)) } else { read.proved.append(other) }
            }
            read.examinedCount += others.count
        }
    }

    /// What is wrong with an entry that was shown as no digest; `nil` when its receipt proves that it is none.
    nonisolated private func damage(of other: TransactionID) async throws -> String? {
        do {
            let (_, answer) = try await client.verifiedReceipt(for: other, collectionID: collection)
            // Verified with a collection to compare, so this is its one claim.
            guard case .ledgerEntry(_, let contents, _)? = answer.document.applicationClaims.first,
                Self.digest(contents) == nil
            else { return "its receipt proves a digest, and the server shows something else" }
            return nil
        } catch let error as LedgerClientError {
            switch error.code {
            case .proofFailed, .notFound, .unexpectedResponse:
                return "not a digest, and no receipt proves that it is another entry: \(error.reason)"
            default: throw error
            }
        }
    }

    /// `check` of every one, in the same order.
    private func inParallel<Item: Sendable, Verdict: Sendable>(
        _ items: [Item], _ check: @escaping @Sendable (Item) async throws -> Verdict
    ) async throws -> [Verdict] {
        try await withThrowingTaskGroup(of: (Int, Verdict).self) { group in
            var result = [Verdict?](repeating: nil, count: items.count)
            for (number, item) in items.enumerated() {
                if number >= Self.parallelReceiptCount, let (done, verdict) = try await group.next() {
                    result[done] = verdict
                }
                group.addTask { (number, try await check(item)) }
            }
            for try await (done, verdict) in group { result[done] = verdict }
            return result.compactMap(\.self)
        }
    }

    /// The entry with the verdict on its receipt.
    nonisolated private func checked(_ entry: Known) async throws -> StoredDigest {
        let contents = entry.digest.json
        let receipt: DigestReceipt
        do {
            let (_, answer) = try await client.verifiedReceipt(
                for: entry.transactionID, collectionID: collection, contents: contents)
            receipt = .verified(
                document: String(decoding: answer.json, as: UTF8.self), serviceCertificate: serviceCertificatePEM)
        } catch let error as LedgerClientError {
            switch error.code {
            case .proofFailed: receipt = .invalid(reasons: [error.reason])
            case .notFound, .unexpectedResponse:
                receipt = .invalid(reasons: ["the server gives no receipt for it: \(error.reason)"])
            default: throw error
            }
        }
        return StoredDigest(
            digest: entry.digest, origin: origin(entry.transactionID),
            entry: DigestEntry(
                collectionID: collection, contents: contents, transactionID: entry.transactionID),
            receipt: receipt)
    }

    nonisolated private func origin(_ id: TransactionID) -> String { "\(url), transaction \(id)" }

    // MARK: Errors

    private func mapping<R>(_ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let error as LedgerClientError {
            throw DigestStoreError(Self.code(error), "\(url): \(error.reason)")
        }
    }

    private static func code(_ error: LedgerClientError) -> DigestStoreError.Code {
        switch error.code {
        case .proofFailed: .damaged
        case .refused where (error.status ?? 0) >= 500 || error.status == 429: .unavailable
        case .untrustedServer, .refused, .invalidConfiguration, .invalidInput, .notFound: .refused
        // Unreachable, outcome unknown, not committed yet, an answer that makes no sense.
        default: .unavailable
        }
    }
}
