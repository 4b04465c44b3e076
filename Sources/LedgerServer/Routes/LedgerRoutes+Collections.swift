import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs

/// API spec A.4.
extension LedgerRoutes {
    static let listLimit = 1000

    var collectionRoutes: [Route] {
        [
            Route(.get, "/app/collections", .requires(.readCollections), handler: collections),
            Route(.get, "/app/collections/tags", .requires(.readCollections), handler: tagList),
        ]
    }

    private func collections(_ context: RequestContext) async throws -> Response {
        let limit = try context.query.integer("limit", in: 1...Self.listLimit) ?? Self.listLimit
        let found = try await ledger.collections(after: try NextLink.item(context.query), limit: limit)
        let items = found.map { JSONValue.object([("collectionId", .string($0))]) }
        return .json(Self.list("collections", items, found.last, limit, context), ledger.committed)
    }

    private func tagList(_ context: RequestContext) async throws -> Response {
        let limit = try context.query.integer("limit", in: 1...Self.listLimit) ?? Self.listLimit
        let found = try await ledger.tags(
            collectionID: context.query["collectionId"], after: try NextLink.item(context.query), limit: limit)
        return .json(Self.list("tags", found.map { .string($0) }, found.last, limit, context), ledger.committed)
    }

    /// `{name: […], "nextLink"?: …}`; a link only when the page is full.
    static func list(
        _ name: String, _ items: [JSONValue], _ last: String?, _ limit: Int, _ context: RequestContext
    ) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = [(name, .array(items))]
        if items.count == limit, let last {
            let link = NextLink(context.path)
                .adding("api-version", context.versionName)
                .adding("collectionId", context.query["collectionId"])
                .adding("limit", context.query["limit"])
                .adding("cursor", NextLink.cursor(after: last))
            members.append(("nextLink", link.json))
        }
        return .object(members)
    }
}
