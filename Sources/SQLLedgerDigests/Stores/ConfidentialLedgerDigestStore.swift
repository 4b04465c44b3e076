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

    // What has been read of the collection so far. The server only adds to a collection, so this is never read again.
    private var known: [LedgerID: [BlockID: [Known]]] = [:]
    private var damage: [DigestProblem] = []
    private var lastRead: TransactionID?

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
        guard let first = known[digest.ledger]?[digest.block]?.first else { return nil }
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

    public func listing(for ledger: LedgerID) async throws -> DigestListing {
        try await mapping {
            try await readNewEntries()
            var listing = DigestListing(problems: damage)
            for (other, blocks) in known where other != ledger {
                for entry in blocks.values.joined() {
                    listing.problems.append(
                        DigestProblem(
                            .foreign, origin: origin(entry.transactionID),
                            reason: "a digest of ledger \(other), block \(entry.digest.block)"))
                }
            }
            listing.problems.sort { $0.origin < $1.origin }
            let entries = (known[ledger] ?? [:]).sorted { $0.key < $1.key }.flatMap(\.value)
            listing.digests = try await checked(entries)
            return listing
        }
    }

    public func digests(for ledger: LedgerID, block: BlockID) async throws -> [StoredDigest] {
        try await mapping {
            try await readNewEntries()
            return try await checked(known[ledger]?[block] ?? [])
        }
    }

    // MARK: Reading

    /// Reads what was added to the collection since the last time.
    private func readNewEntries() async throws {
        var filter = EntryFilter(collectionID: collection)
        filter.from = lastRead
        for try await entry in client.entries(filter) {
            if let lastRead, entry.transactionID <= lastRead { continue }
            lastRead = entry.transactionID
            guard ExactText.same(entry.collectionID, collection) else {
                damage.append(
                    DigestProblem(
                        .damaged, origin: origin(entry.transactionID),
                        reason: "the server gave an entry of collection '\(entry.collectionID)'"))
                continue
            }
            do {
                let digest = try LedgerDigest(json: entry.contents)
                guard digest.json.utf8.elementsEqual(entry.contents.utf8) else {
                    throw ProofError.malformed("the text is not byte for byte what is written for a digest")
                }
                known[digest.ledger, default: [:]][digest.block, default: []].append(
                    Known(digest: digest, transactionID: entry.transactionID))
            } catch let error as ProofError {
                damage.append(
                    DigestProblem(
                        .damaged, origin: origin(entry.transactionID), reason: "not a digest: \(error.reason)"))
            }
        }
    }

    /// The entries with the verdicts on their receipts, in the same order.
    private func checked(_ entries: [Known]) async throws -> [StoredDigest] {
        try await withThrowingTaskGroup(of: (Int, StoredDigest).self) { group in
            var result = [StoredDigest?](repeating: nil, count: entries.count)
            for (number, entry) in entries.enumerated() {
                if number >= Self.parallelReceiptCount, let (done, digest) = try await group.next() {
                    result[done] = digest
                }
                group.addTask { (number, try await self.checked(entry)) }
            }
            for try await (done, digest) in group { result[done] = digest }
            return result.compactMap(\.self)
        }
    }

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
