import Foundation
import LedgerAPI
import LedgerProofs
import NIOHTTP1

/// A client of one confidential ledger, pinned to its service certificate.
///
/// Every method may be called from any task. Calls are repeated as the configuration says; a repeated write is
/// the same write. Call `shutdown()` when done, or use `withClient`.
///
/// Everything that reads tells what the server says; everything named *verified* is proved by a receipt.
public final class LedgerClient: Sendable {
    let transport: HTTPTransport
    let apiVersion: String
    /// Checks receipts against the pinned certificate.
    public let verifier: ReceiptVerifier

    /// Errors: `invalidConfiguration`, naming the input and what is wrong with it. Nothing is sent yet.
    public init(_ configuration: LedgerClientConfiguration) throws {
        self.apiVersion = configuration.apiVersion
        // Before the transport: one that was opened must be shut down, and `init` is the wrong place to do so.
        do {
            self.verifier = try ReceiptVerifier(serviceCertificatePEM: configuration.serviceCertificatePEM)
        } catch {
            throw LedgerClientError(
                .invalidConfiguration, "the service certificate cannot verify receipts: \(error)", cause: error)
        }
        self.transport = try HTTPTransport(configuration)
    }

    /// Closes the connections. Calls under way fail.
    public func shutdown() async {
        await transport.shutdown()
    }

    /// Runs `body` with a client and shuts it down afterwards.
    public static func withClient<R: Sendable>(
        _ configuration: LedgerClientConfiguration, _ body: (LedgerClient) async throws -> R
    ) async throws -> R {
        let client = try LedgerClient(configuration)
        do {
            let result = try await body(client)
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }

    // MARK: Building blocks

    func target(_ path: String, _ query: [(String, String)] = []) -> String {
        let items = [("api-version", apiVersion)] + query
        return path + "?"
            + items.map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
    }

    func get(_ path: String, _ query: [(String, String)] = [], accept: String = "application/json") async throws
        -> HTTPAnswer
    {
        try await transport.send(
            HTTPCall(
                method: .GET, target: target(path, query), body: nil, accept: accept,
                requestID: UUID().uuidString.lowercased()))
    }

    func send(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)] = [], json: (any Encodable)?,
        contentType: String = "application/json", requestID: String? = nil, accepted: Set<UInt> = [200]
    ) async throws -> HTTPAnswer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return try await transport.send(
            HTTPCall(
                method: method, target: target(path, query), body: try json.map { Array(try encoder.encode($0)) },
                contentType: contentType, requestID: requestID ?? UUID().uuidString.lowercased(), accepted: accepted))
    }

    func decode<T: Decodable>(_ type: T.Type, from answer: HTTPAnswer, of what: String) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(answer.body))
        } catch {
            throw LedgerClientError(
                .unexpectedResponse, "\(what): the answer does not have the agreed form",
                status: Int(answer.status), cause: error)
        }
    }

    func transactionID(_ text: String, of what: String) throws -> TransactionID {
        guard let id = TransactionID(text) else {
            throw LedgerClientError(.unexpectedResponse, "\(what): '\(text)' is not a transaction id")
        }
        return id
    }

    func record(_ entry: EntryWord) throws -> EntryRecord {
        EntryRecord(
            transactionID: try transactionID(entry.transactionId, of: "entry"), collectionID: entry.collectionId,
            contents: entry.contents, tags: entry.tags, author: entry.author, time: entry.time)
    }

    /// The target of a next page. Only the same server is ever asked: a link elsewhere is refused.
    func nextTarget(_ link: String?, after current: String) throws -> String? {
        guard let link, !link.isEmpty else { return nil }
        var target = link
        if link.hasPrefix(transport.base + "/") { target = String(link.dropFirst(transport.base.count)) }
        guard target.hasPrefix("/"), !target.hasPrefix("//") else {
            throw LedgerClientError(.unexpectedResponse, "the next page is at another server: \(link)")
        }
        return target
    }
}
