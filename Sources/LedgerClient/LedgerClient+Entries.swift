import Foundation
import LedgerAPI
import LedgerProofs
import NIOHTTP1

extension LedgerClient {
    /// The contents of one entry may be any text; the server's body limit applies (1 MiB unless configured).
    ///
    /// Returns once the entry is committed and, unless switched off, its receipt proves it: signed by the pinned
    /// service, over these contents in this collection, at the transaction id that the server named.
    /// Errors: `invalidInput` before anything is sent; `refused`, `outcomeUnknown`, `proofFailed`, `notCommitted`,
    /// `unreachable`, `untrustedServer`. Once the server has taken the entry, the reason names its transaction.
    public func append(_ contents: String, options: AppendOptions = AppendOptions()) async throws -> AppendedEntry {
        try options.check()
        var query: [(String, String)] = []
        if let collection = options.collectionID { query.append(("collectionId", collection)) }
        if !options.tags.isEmpty { query.append(("tags", options.tags.joined(separator: ","))) }
        query.append(("waitForCommit", "true"))
        let answer = try await send(
            .POST, "/app/transactions", query, json: Wire.NewEntry(contents: contents), requestID: options.requestID)
        let created = try decode(Wire.Created.self, from: answer, of: "append")
        guard let text = answer.headers.first(name: "x-ms-ccf-transaction-id") ?? created.transactionId else {
            throw LedgerClientError(.unexpectedResponse, "append: the answer names no transaction id")
        }
        let id = try transactionID(text, of: "append")
        if let collection = options.collectionID, !ExactText.same(collection, created.collectionId) {
            throw LedgerClientError(
                .proofFailed,
                "append: asked for collection '\(collection)', the server wrote to '\(created.collectionId)'")
        }
        do {
            return try await finish(contents, created, answer, id, options)
        } catch let error as LedgerClientError where !error.reason.contains("transaction \(id)") {
            throw LedgerClientError(
                error.code, "\(error.reason); the server took the entry as transaction \(id)", status: error.status,
                serverCode: error.serverCode, cause: error.cause)
        }
    }

    /// What follows once the server has taken an entry: its commit, and the proof of it.
    private func finish(
        _ contents: String, _ created: Wire.Created, _ answer: HTTPAnswer, _ id: TransactionID, _ options: AppendOptions
    ) async throws -> AppendedEntry {
        var result = AppendedEntry(transactionID: id, collectionID: created.collectionId)
        let deadline = ContinuousClock.now.advanced(by: options.commitTimeout)
        guard options.verifiesReceipt else {
            if created.state != "Committed" { try await waitForCommit(ofTaken: id, until: deadline) }
            return result
        }
        var receipt = answer.body
        if (try? decode(Wire.HasReceipt.self, from: answer, of: "append"))?.receipt == nil {
            try await waitForCommit(ofTaken: id, until: deadline)
            receipt = try await self.receipt(for: id).json
        }
        result.verified = try verify(
            receipt: receipt, transactionID: id, collectionID: created.collectionId, contents: contents)
        result.receiptJSON = receipt
        return result
    }

    /// As `waitForCommit`, for a write that the server has taken: one that it does not know (yet) is on its way, and
    /// when nothing certain is heard in time it may still be written. Errors: `outcomeUnknown`; `notCommitted` when it
    /// was rolled back.
    private func waitForCommit(ofTaken id: TransactionID, until deadline: ContinuousClock.Instant) async throws {
        do {
            while true {
                do {
                    return try await waitForCommit(id, until: deadline)
                } catch let error as LedgerClientError where error.serverCode == "TransactionPendingOrUnknown" {
                    guard ContinuousClock.now < deadline else { throw error }
                    try await Task.sleep(for: .milliseconds(500))
                }
            }
        } catch let error as LedgerClientError {
            if error.serverCode == "TransactionInvalid" {
                throw LedgerClientError(
                    .notCommitted, "transaction \(id) was rolled back: the entry was not written",
                    status: error.status, serverCode: error.serverCode, cause: error)
            }
            throw LedgerClientError(
                .outcomeUnknown,
                "the server took the entry as transaction \(id), which is not committed yet and may still be written: "
                    + error.reason,
                status: error.status, serverCode: error.serverCode, cause: error)
        }
    }

    /// Waits until the server says `Committed`. Errors: `notCommitted` when `deadline` passes first.
    public func waitForCommit(_ id: TransactionID, until deadline: ContinuousClock.Instant) async throws {
        var pause = Duration.milliseconds(20)
        while try await status(of: id) != .committed {
            guard ContinuousClock.now < deadline else {
                throw LedgerClientError(.notCommitted, "transaction \(id): not committed in the time given")
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(1))
        }
    }

    /// Errors: `notFound` for an id that is not of this ledger.
    public func status(of id: TransactionID) async throws -> TransactionState {
        let answer = try await get("/app/transactions/\(id)/status")
        let status = try decode(Wire.Status.self, from: answer, of: "status of \(id)")
        guard let state = TransactionState(rawValue: status.state) else {
            throw LedgerClientError(.unexpectedResponse, "status of \(id): unknown state '\(status.state)'")
        }
        return state
    }

    /// One entry. `collectionID` `nil`: the default collection, as the server understands it.
    /// Errors: `notFound` when the transaction wrote no entry there; `unexpectedResponse` when the answer is about
    /// another transaction.
    public func entry(_ id: TransactionID, collectionID: String? = nil) async throws -> EntryRecord {
        let query = collectionID.map { [("collectionId", $0)] } ?? []
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while true {
            let answer = try await get("/app/transactions/\(id)", query)
            let result = try decode(Wire.EntryResult.self, from: answer, of: "entry \(id)")
            if result.state == "Ready", let entry = result.entry {
                let record = try record(entry)
                guard record.transactionID == id else {
                    throw LedgerClientError(
                        .unexpectedResponse, "entry \(id): the server answered with entry \(record.transactionID)")
                }
                return record
            }
            guard result.state == "Loading", ContinuousClock.now < deadline else {
                throw LedgerClientError(.unexpectedResponse, "entry \(id): unknown state '\(result.state)'")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// The last entry of a collection. Errors: `notFound` when there is none.
    public func currentEntry(collectionID: String? = nil) async throws -> EntryRecord {
        let answer = try await get("/app/transactions/current", collectionID.map { [("collectionId", $0)] } ?? [])
        return try record(try decode(EntryWord.self, from: answer, of: "current entry"))
    }

    /// A range of entries, ascending, fetched page by page while it is iterated.
    public func entries(_ filter: EntryFilter = EntryFilter()) -> EntrySequence {
        EntrySequence(client: self, target: target("/app/transactions", filter.queryItems))
    }

    /// Entries as they are written, for ever: every entry after `last`, or from now on when it is `nil`.
    /// The server is asked again `interval` after the last answer.
    public func watch(
        _ filter: EntryFilter = EntryFilter(), after last: TransactionID? = nil, every interval: Duration = .seconds(1)
    ) -> EntryFeed {
        var filter = filter
        filter.to = nil
        return EntryFeed(client: self, filter: filter, last: last, interval: interval)
    }

    /// The newest committed transaction as the server tells it.
    public func lastCommitted() async throws -> TransactionID {
        let answer = try await get("/app/commit")
        let commit = try decode(Wire.Commit.self, from: answer, of: "commit")
        return try transactionID(commit.transaction_id, of: "commit")
    }
}
