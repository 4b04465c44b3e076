import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs
import NIOCore

extension LedgerRoutes {
    var healthRoutes: [Route] { [Route(.get, "/health", .open, forms: nil, handler: health)] }

    /// 200 while writes succeed, else 503 with the reason: `read-only` until a restart, `degraded` while the node goes on
    /// trying. `degraded` with 200 when only reads suffer. The answer always names the committed state.
    private func health(_ context: RequestContext) async throws -> Response {
        let information = ledger.information
        let reason = information.writeRefusal ?? information.writeTrouble ?? information.readTrouble
        var members: [(name: String, value: JSONValue)] = [
            ("status", information.writeRefusal != nil ? "read-only" : reason != nil ? "degraded" : "ok"),
            ("committed", .string(information.committed.description)),
        ]
        if let reason { members.append(("reason", .string(reason))) }
        if !information.startupNotes.isEmpty { members.append(("notes", .strings(information.startupNotes))) }
        return .json(.object(members), status: information.acceptsWrites ? .ok : .serviceUnavailable)
    }

    /// Reads the body and answers a constant: the ceiling that appends are measured against.
    static let benchmarkRoute = Route(.post, "/benchmark/empty", .open, hidden: true) { context in
        _ = try await context.body()
        return .json(Array("{\"ok\":true}".utf8))
    }

    /// Prometheus text.
    static func metricsRoute(_ source: @escaping @Sendable () -> String) -> Route {
        Route(.get, "/metrics", .open, forms: nil) { _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: source())))
        }
    }
}
