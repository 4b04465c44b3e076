import Foundation
import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs
import NIOCore

/// API spec A.3.
extension LedgerRoutes {
    /// The most entries of one page.
    static let pageLimit = 1000
    static let defaultPageLimit = 100
    static let collectionIDByteLimit = 1024

    var transactionRoutes: [Route] {
        [
            Route(.post, "/app/transactions", .requires(.writeTransactions), handler: create),
            Route(.get, "/app/transactions", .requires(.readTransactions), handler: range),
            Route(.get, "/app/transactions/current", .requires(.readTransactions), handler: current),
            Route(.get, "/app/transactions/{transactionId}", .requires(.readTransactions), handler: entry),
            Route(.get, "/app/transactions/{transactionId}/status", .requires(.readTransactions), handler: status),
            Route(
                .get, "/app/transactions/{transactionId}/receipt", .requires(.readTransactions),
                forms: Route.receiptForms, handler: receipt),
            Route(
                .get, "/app/transactions/{transactionId}/receipt/cose", .requires(.readTransactions),
                forms: nil, handler: coseReceipt),
        ]
    }

    // MARK: Create

    private func create(_ context: RequestContext) async throws -> Response {
        try context.checkMediaType()
        let wantsReceipt = try context.query.flag("waitForCommit")
        let collection = try collectionID(context) ?? AppendRequest.defaultCollectionID
        let tags = try Self.tags(context.query["tags"])
        // An empty one tells no call from another.
        let requestID = context.request.headers.value(FieldNames.clientRequestID).flatMap { $0.isEmpty ? nil : $0 }
        guard (requestID?.utf8.count ?? 0) <= 256 else {
            throw APIError(.invalidHeaderValue, "The header \(HeaderNames.clientRequestID) is longer than 256 bytes.")
        }
        // The HTTP library reads bytes that are not UTF-8 as this character, so that two ids would become one.
        guard requestID?.unicodeScalars.contains("\u{FFFD}") != true else {
            throw APIError(
                .invalidHeaderValue,
                "The header \(HeaderNames.clientRequestID) is not UTF-8, or holds the replacement character U+FFFD.")
        }
        let buffer = try await context.body()
        let body: CreateEntryBody
        do {
            body = try buffer.withUnsafeReadableBytes { try CreateEntryBody(json: $0) }
        } catch {
            throw APIError(.invalidInput, "The request body is not acceptable: \(error).")
        }
        let rights = try context.requiredRights()
        let outcome = try await ledger.append(
            AppendRequest(
                contents: body.contents, collectionID: collection, tags: tags, author: rights.caller,
                requestID: requestID),
            wait: wantsReceipt ? configuration.longCommitWait : configuration.commitWait, allowed: rights.check)
        guard wantsReceipt else {
            var out = JSONWriter(capacity: 32 + collection.utf8.count)
            out.raw("{\"collectionId\":")
            out.string(collection)
            out.raw("}")
            return .json(out.bytes, outcome.transactionID)
        }
        return try await createdWithReceipt(collection, outcome)
    }

    private func createdWithReceipt(_ collection: String, _ outcome: WriteOutcome) async throws -> Response {
        var out = JSONWriter(capacity: 4096)
        out.raw("{\"collectionId\":")
        out.string(collection)
        out.raw(",\"transactionId\":")
        out.string(outcome.transactionID.description)
        if outcome.isCommitted {
            let document = try await ledger.receipt(for: outcome.transactionID)
            out.raw(",\"state\":\"Committed\",\"receipt\":")
            out.raw(document.receipt.appJSON())
            Self.writeClaims(document.applicationClaims, to: &out)
        } else {
            out.raw(",\"state\":\"Pending\"")
        }
        out.raw("}")
        return .json(out.bytes, outcome.transactionID)
    }

    /// Comma-separated tags; the rules of API spec A.4 are checked by the ledger, except that none may be empty.
    static func tags(_ text: String?) throws -> [String] {
        guard let text else { return [] }
        // By bytes: a comma with an accent after it is one character.
        let tags = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard tags.count <= 5 else {
            throw APIError(.invalidInput, "The query parameter 'tags' has more than 5 tags.")
        }
        for tag in tags {
            guard AppendRequest.isAcceptable(tag: tag) else {
                throw APIError(
                    .invalidInput,
                    "Each tag in the query parameter 'tags' must have 1 to \(AppendRequest.tagCharacterLimit) characters in "
                        + "at most \(AppendRequest.tagByteCountLimit) UTF-8 bytes, and no NUL.")
            }
        }
        guard Set(tags.map { ExactText($0) }).count == tags.count else {
            throw APIError(.invalidInput, "The query parameter 'tags' has a tag twice.")
        }
        return tags
    }

    /// The query parameter `collectionId`; `nil` when absent.
    private func collectionID(_ context: RequestContext) throws -> String? {
        guard let id = context.query["collectionId"] else { return nil }
        guard id.utf8.count <= Self.collectionIDByteLimit else {
            throw APIError(
                .invalidQueryParameterValue,
                "The query parameter 'collectionId' is longer than \(Self.collectionIDByteLimit) bytes.")
        }
        return id
    }

    // MARK: Read

    /// The state in which a committed transaction was read: it may have been committed after the request began.
    private static func readAt(_ context: RequestContext, _ id: TransactionID) -> TransactionID {
        max(context.readAt, id)
    }

    private func status(_ context: RequestContext) async throws -> Response {
        let id = try context.transactionID()
        let state: TransactionStatus
        var readAt = context.readAt
        switch try await ledger.status(of: id) {
        case .committed:
            state = .committed
            readAt = Self.readAt(context, id)
        case .pending: state = .pending
        case .invalid:
            throw APIError(.transactionInvalid, "The transaction \(id) was rolled back and will never be committed.")
        case .unknown:
            throw APIError(
                .transactionPendingOrUnknown, "The transaction \(id) is not known yet.",
                headers: [.cacheControl: "no-cache"])
        }
        return .json(["state": .string(state.rawValue), "transactionId": .string(id.description)], readAt)
    }

    private func entry(_ context: RequestContext) async throws -> Response {
        let id = try context.transactionID()
        let collection = try collectionID(context)
        if try await ledger.status(of: id) == .pending { return .json(["state": "Loading"], context.readAt) }
        guard let entry = try await ledger.entry(id, collectionID: collection) else {
            let place = collection.map { "the collection '\($0)'" } ?? "any collection"
            throw APIError(.unknownLedgerEntry, "The transaction \(id) wrote no entry to \(place).")
        }
        var out = JSONWriter(capacity: 256 + entry.contents.utf8.count)
        out.raw("{\"state\":\"Ready\",\"entry\":")
        Self.word(entry).write(to: &out)
        out.raw("}")
        return .json(out.bytes, Self.readAt(context, id))
    }

    private func current(_ context: RequestContext) async throws -> Response {
        let collection = try collectionID(context) ?? AppendRequest.defaultCollectionID
        guard let entry = try await ledger.currentEntry(collectionID: collection, at: context.readAt) else {
            throw APIError(.collectionNotFound, "The collection '\(collection)' has no entry.")
        }
        var out = JSONWriter(capacity: 256 + entry.contents.utf8.count)
        Self.word(entry).write(to: &out)
        return .json(out.bytes, context.readAt)
    }

    static func word(_ entry: LedgerEntry) -> EntryWord {
        EntryWord(
            contents: entry.contents, collectionId: entry.collectionID,
            transactionId: entry.transactionID.description, tags: entry.tags, author: entry.author,
            time: Timestamp.text(microseconds: entry.timeMicroseconds))
    }

    // MARK: Range

    private func range(_ context: RequestContext) async throws -> Response {
        try await PageCursor.page(of: .entries, context, rangePage)
    }

    private func rangePage(_ context: RequestContext) async throws -> Response {
        var query = EntryQuery()
        query.collectionID = try collectionID(context) ?? AppendRequest.defaultCollectionID
        let from = try context.transactionID(query: "fromTransactionId")
        let to = try context.transactionID(query: "toTransactionId")
        query.from = from?.seqno
        query.to = to?.seqno
        query.tag = context.query["tag"]
        // A tag has no commas, so one can only be meant as several (API spec A.4: one tag per query).
        guard query.tag.map(AppendRequest.isAcceptable(tag:)) ?? true else {
            throw APIError(
                .invalidQueryParameterValue,
                "The query parameter 'tag' must hold one tag of at most \(AppendRequest.tagCharacterLimit) characters in at "
                    + "most \(AppendRequest.tagByteCountLimit) UTF-8 bytes, without commas and NUL.")
        }
        query.author = context.query["author"].map(UserIDRule.normalised)
        query.fromTime = try Self.time(context, "fromTime")
        query.toTime = try Self.time(context, "toTime")
        query.limit = try context.query.integer("limit", in: 1...Self.pageLimit) ?? Self.defaultPageLimit
        if let from, let to, to.seqno < from.seqno {
            return .json(["state": "Ready", "entries": []], context.readAt)
        }
        let page = try await ledger.entries(query)
        var out = JSONWriter(capacity: 256 + page.entries.reduce(0) { $0 + 200 + $1.contents.utf8.count })
        out.raw("{\"state\":\"Ready\",\"entries\":[")
        for (i, entry) in page.entries.enumerated() {
            if i > 0 { out.raw(",") }
            Self.word(entry).write(to: &out)
        }
        out.raw("]")
        if let next = page.next {
            let view = page.readAt.view
            let cursor = PageCursor(.entries)
                .adding("collectionId", query.collectionID)
                .adding("fromTransactionId", TransactionID(view: view, seqno: next).description)
                .adding("toTransactionId", TransactionID(view: view, seqno: page.upperBound).description)
                .adding("tag", query.tag)
                .adding("author", query.author)
                .adding("fromTime", query.fromTime.map { Timestamp.text(microseconds: $0) })
                .adding("toTime", query.toTime.map { Timestamp.text(microseconds: $0) })
                .adding("limit", context.query["limit"])
            out.raw(",\"nextLink\":")
            out.value(NextLink.to(cursor, "/app/transactions", context).json)
        }
        out.raw("}")
        return .json(out.bytes, page.readAt)
    }

    private static func time(_ context: RequestContext, _ name: String) throws -> Int64? {
        guard let text = context.query[name] else { return nil }
        guard let time = Timestamp.microseconds(text) else {
            throw APIError(
                .invalidQueryParameterValue,
                "The query parameter '\(name)' is not an RFC 3339 time, for example 2026-11-20T23:47:26Z.")
        }
        return time
    }

    // MARK: Receipts

    private func receipt(_ context: RequestContext) async throws -> Response {
        let id = try context.transactionID()
        if context.wantsCOSE { return try await coseReceipt(context) }
        if try await ledger.status(of: id) == .pending {
            return .json(
                ["state": "Loading", "transactionId": .string(id.description), "receipt": nil], context.readAt)
        }
        let document = try await ledger.receipt(for: id)
        let json = document.receipt.appJSON()
        var out = JSONWriter(capacity: json.count + 512)
        out.raw("{\"state\":\"Ready\",\"transactionId\":")
        out.string(id.description)
        out.raw(",\"receipt\":")
        out.raw(json)
        Self.writeClaims(document.applicationClaims, to: &out)
        out.raw("}")
        return .json(out.bytes, Self.readAt(context, id))
    }

    private func coseReceipt(_ context: RequestContext) async throws -> Response {
        let id = try context.transactionID()
        let bytes = try await ledger.coseReceipt(for: id)
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/cose", FieldNames.transactionID: Self.readAt(context, id).description,
                .vary: "accept",
            ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// `,"applicationClaims":[…]`, nothing when there are none (API spec C.2).
    static func writeClaims(_ claims: [ApplicationClaim], to out: inout JSONWriter) {
        guard !claims.isEmpty else { return }
        out.raw(",\"applicationClaims\":[")
        for (i, claim) in claims.enumerated() {
            if i > 0 { out.raw(",") }
            switch claim {
            case .ledgerEntry(let collection, let contents, let key):
                out.raw("{\"kind\":\"LedgerEntry\",\"ledgerEntry\":{\"protocol\":\"LedgerEntryV1\",\"collectionId\":")
                out.string(collection)
                out.raw(",\"contents\":")
                out.string(contents)
                out.raw(",\"secretKey\":")
                out.string(Data(key).base64EncodedString())
                out.raw("}}")
            case .digest(let name, let value):
                out.raw("{\"kind\":\"ClaimDigest\",\"digest\":{\"protocol\":")
                out.string(name)
                out.raw(",\"value\":")
                out.string(value.hex)
                out.raw("}}")
            }
        }
        out.raw("]")
    }
}
