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
        try await PageCursor.page(of: .collections, context, collectionPage)
    }

    private func tagList(_ context: RequestContext) async throws -> Response {
        try await PageCursor.page(of: .tags, context, tagPage)
    }

    private func collectionPage(_ context: RequestContext) async throws -> Response {
        let limit = try context.query.integer("limit", in: 1...Self.listLimit) ?? Self.listLimit
        let found = try await ledger.collections(after: Self.after(context), limit: limit)
        let items = found.map { JSONValue.object([("collectionId", .string($0))]) }
        return .json(
            Self.list("collections", .collections, "/app/collections", items, found.last, limit, context),
            context.readAt)
    }

    private func tagPage(_ context: RequestContext) async throws -> Response {
        let limit = try context.query.integer("limit", in: 1...Self.listLimit) ?? Self.listLimit
        let found = try await ledger.tags(
            collectionID: context.query["collectionId"], after: Self.after(context), limit: limit)
        let items = found.map { JSONValue.string($0) }
        return .json(
            Self.list("tags", .tags, "/app/collections/tags", items, found.last, limit, context), context.readAt)
    }

    /// Where a page goes on; `nil` for the first one.
    static func after(_ context: RequestContext) -> String? {
        context.query[PageCursor.parameter] == nil ? nil : context.query[PageCursor.after]
    }

    /// `{name: […], "nextLink"?: …}`; a link only when the page is full. `path` is the route's: what a caller
    /// wrote could be read as another host.
    static func list(
        _ name: String, _ list: PageCursor.List, _ path: String, _ items: [JSONValue], _ last: String?, _ limit: Int,
        _ context: RequestContext
    ) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = [(name, .array(items))]
        if items.count == limit, let last {
            let cursor = PageCursor(list)
                .adding("collectionId", list == .tags ? context.query["collectionId"] : nil)
                .adding("limit", context.query["limit"])
                .adding(PageCursor.after, last)
            members.append(("nextLink", NextLink.to(cursor, path, context).json))
        }
        return .object(members)
    }
}
