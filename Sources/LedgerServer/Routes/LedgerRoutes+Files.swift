import Crypto
import Foundation
import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs
import NIOCore
import NIOPosix

/// Downloads of committed chunks and snapshots (ccf-formats 6.4), streamed.
extension LedgerRoutes {
    /// How much of a file is in memory at once, for each download.
    static let pieceByteCount = 64 << 10

    var fileRoutes: [Route] {
        [HTTPRequest.Method.get, .head].flatMap { method in
            [
                Route(method, "/node/ledger-chunk", .download(.readTransactions), handler: findChunk),
                Route(method, "/node/ledger-chunk/{name}", .download(.readTransactions)) { context in
                    try await download(context, nameField: FieldNames.chunkName)
                },
                Route(method, "/node/snapshot", .download(.readTransactions), handler: findSnapshot),
                Route(method, "/node/snapshot/{name}", .download(.readTransactions)) { context in
                    try await download(context, nameField: FieldNames.snapshotName)
                },
            ]
        }
    }

    private func since(_ context: RequestContext) throws -> UInt64? {
        try context.query.integer("since", in: 0...Int.max).map(UInt64.init)
    }

    private func findChunk(_ context: RequestContext) async throws -> Response {
        let since = max(1, try since(context) ?? 1)
        guard let chunk = ledger.committedChunks().first(where: { $0.last.rawValue >= since }) else {
            throw APIError(.resourceNotFound, "No committed chunk holds the sequence number \(since) yet.")
        }
        return redirect("/node/ledger-chunk/\(PercentDecoding.encode(chunk.fileName))")
    }

    private func findSnapshot(_ context: RequestContext) async throws -> Response {
        let since = try since(context) ?? 0
        guard let newest = ledger.committedSnapshots().last,
            newest.last.rawValue >= since || newest.first.rawValue >= since
        else { throw APIError(.resourceNotFound, "There is no committed snapshot from \(since) on.") }
        return redirect("/node/snapshot/\(PercentDecoding.encode(newest.fileName))")
    }

    /// Relative, so that the client stays with the authority and the certificate it knows.
    private func redirect(_ location: String) -> Response {
        Response(status: .permanentRedirect, headers: [.location: location, .cacheControl: "no-store"])
    }

    private func download(_ context: RequestContext, nameField: HTTPField.Name) async throws -> Response {
        let name = context.parameters[0]
        let known = nameField == FieldNames.chunkName ? ledger.committedChunks() : ledger.committedSnapshots()
        guard known.contains(where: { $0.fileName == name }), let file = try ledger.openForDownload(fileName: name)
        else { throw APIError(.resourceNotFound, "There is no committed file '\(name.prefix(200))'.") }
        let digest = try await digest(of: file, name: name)
        let structured = "sha-256=:\(Data(digest).base64EncodedString()):"
        let etag = "\"\(structured)\""
        var headers: HTTPFields = [.acceptRanges: "bytes", .eTag: etag, nameField: name]
        if context.request.headers[FieldNames.wantDigest] != nil { headers[FieldNames.digest] = structured }
        if let tags = context.request.headers[.ifNoneMatch], tags == "*" || tags.contains(etag) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = "application/octet-stream"
        let size = file.byteCount
        if context.request.method == .head {
            headers[.contentLength] = String(size)
            return Response(status: .ok, headers: headers)
        }
        // Whoever has a part of another file wants this one whole (RFC 9110, 13.1.5).
        let isOfThisFile = context.request.headers[.ifRange].map { $0 == etag } ?? true
        let wanted = isOfThisFile ? context.request.headers[.range] : nil
        switch ByteRange.parse(wanted, fileByteCount: size) {
        case .whole:
            let body = stream(file, from: 0, count: size)
            return Response(status: .ok, headers: headers, body: body)
        case .part(let range):
            headers[.contentRange] = "bytes \(range.first)-\(range.last)/\(size)"
            return Response(
                status: .partialContent, headers: headers, body: stream(file, from: range.first, count: range.count))
        case .unsatisfiable:
            throw APIError(
                .rangeNotSatisfiable, "The range lies outside the file of \(size) bytes.",
                headers: [.contentRange: "bytes */\(size)"])
        case .malformed:
            throw APIError(.invalidHeaderValue, "The range header must hold one range of the form bytes=first-last.")
        }
    }

    /// Reads happen on the thread pool for blocking work.
    private func stream(_ file: LedgerFileReader, from start: UInt64, count: UInt64) -> ResponseBody {
        ResponseBody(contentLength: Int(count)) { writer in
            var offset = start
            let end = start + count
            while offset < end {
                let piece = try await Self.read(
                    file, at: offset, count: Int(min(UInt64(Self.pieceByteCount), end - offset)))
                guard !piece.isEmpty else { throw LedgerError(.inputOutput, "a committed file became shorter") }
                offset += UInt64(piece.count)
                try await writer.write(ByteBuffer(bytes: piece))
            }
            try await writer.finish(nil)
        }
    }

    private static func read(_ file: LedgerFileReader, at offset: UInt64, count: Int) async throws -> [UInt8] {
        try await NIOThreadPool.singleton.runIfActive { try file.read(at: offset, count: count) }
    }

    private func digest(of file: LedgerFileReader, name: String) async throws -> [UInt8] {
        if let known = digests[name] { return known }
        var hash = SHA256()
        var offset: UInt64 = 0
        while offset < file.byteCount {
            let piece = try await Self.read(file, at: offset, count: Self.pieceByteCount)
            guard !piece.isEmpty else { throw LedgerError(.inputOutput, "a committed file became shorter") }
            hash.update(data: piece)
            offset += UInt64(piece.count)
        }
        let digest = Array(hash.finalize())
        digests.set(digest, for: name)
        return digest
    }
}
