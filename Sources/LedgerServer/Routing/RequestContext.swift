import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs
import NIOCore

/// One request on its way through a handler.
struct RequestContext: Sendable {
    let request: Request
    var query: Query
    /// Decoded path segments that stand for `{…}`, in order.
    let parameters: [String]
    /// The path without query, as it came.
    let path: String
    /// Who asks for what. `nil` only on routes that need nobody.
    let rights: CallerRights?
    /// The newest committed transaction when the request began: what is read is not older.
    let readAt: TransactionID
    let version: APIVersion
    let bodyLimit: Int

    var identity: Identity? { rights?.caller }

    /// The caller and what it wants, on routes that require one.
    func requiredRights() throws -> CallerRights {
        guard let rights else { throw Authenticator.nothingSent }
        return rights
    }

    /// The value of `api-version` as it was sent, for next links.
    var versionName: String { query["api-version"] ?? version.name }

    /// A receipt is wanted as COSE.
    var wantsCOSE: Bool {
        AcceptRule.prefers(request.headers.value(.accept), "application/cose", to: "application/json")
    }

    /// The whole body. Throws `APIError` 413 when it is too large, 400 when it does not end properly.
    func body() async throws -> ByteBuffer {
        do {
            return try await request.body.collect(upTo: bodyLimit)
        } catch is NIOTooManyBytesError {
            throw Self.tooLarge(bodyLimit)
        } catch let error as CancellationError {
            throw error
        } catch {
            // Not HTTP any more, or the client left: nothing that this side could have done better.
            throw APIError(.invalidInput, "The request body is not well-formed HTTP or did not arrive whole.")
        }
    }

    static func tooLarge(_ limit: Int) -> APIError {
        APIError(.requestEntityTooLarge, "The request body is larger than \(limit) bytes.")
    }

    /// The body as any JSON value; media type checked first.
    func json(orMergePatch: Bool = false) async throws -> JSONValue {
        try checkMediaType(orMergePatch: orMergePatch)
        let bytes = try await body()
        do {
            return try JSONValue(json: Array(buffer: bytes))
        } catch {
            throw APIError(.invalidInput, "The request body is not acceptable: \(error).")
        }
    }

    /// Throws `APIError` 415 unless the body is declared as UTF-8 JSON.
    func checkMediaType(orMergePatch: Bool = false) throws {
        if let coding = request.headers.value(.contentEncoding), coding.lowercased() != "identity" {
            throw APIError(
                .unsupportedMediaType,
                "The content encoding '\(coding.prefix(40))' is not offered; send the body as it is.")
        }
        guard let value = request.headers.value(.contentType) else {
            throw APIError(.unsupportedMediaType, "The content-type header is missing; send application/json.")
        }
        if value == "application/json" { return }
        let parts = value.split(separator: ";").map { $0.trimming { $0 == " " || $0 == "\t" }.lowercased() }
        let type = parts.first ?? ""
        guard type == "application/json" || (orMergePatch && type == "application/merge-patch+json") else {
            throw APIError(
                .unsupportedMediaType, "The content type '\(value.prefix(100))' is not offered; send application/json.")
        }
        for part in parts.dropFirst() where part.hasPrefix("charset=") {
            let name = part.dropFirst("charset=".count).trimming { $0 == "\"" }
            guard name == "utf-8" || name == "utf8" else {
                throw APIError(.unsupportedMediaType, "The charset '\(name.prefix(40))' is not offered; send UTF-8.")
            }
        }
    }

    /// A transaction id from the path. Throws `APIError` 404 `InvalidTransactionId`, which stops pollers (K.10).
    func transactionID(_ index: Int = 0) throws -> TransactionID {
        guard let id = TransactionID(parameters[index]) else {
            throw APIError(
                .invalidTransactionID,
                "'\(parameters[index].prefix(64))' is not a transaction id (view.seqno, for example 2.15).")
        }
        return id
    }

    /// A transaction id from the query; `nil` when absent. Throws `APIError` 400.
    func transactionID(query name: String) throws -> TransactionID? {
        guard let text = query[name] else { return nil }
        guard let id = TransactionID(text) else {
            throw APIError(
                .invalidQueryParameterValue,
                "The query parameter '\(name)' is not a transaction id (view.seqno, for example 2.15).")
        }
        return id
    }
}

extension StringProtocol {
    func trimming(where predicate: (Character) -> Bool) -> String {
        var rest = Substring(self)
        while let first = rest.first, predicate(first) { rest.removeFirst() }
        while let last = rest.last, predicate(last) { rest.removeLast() }
        return String(rest)
    }
}
