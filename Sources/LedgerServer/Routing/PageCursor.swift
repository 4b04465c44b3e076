import HummingbirdCore
import LedgerAPI

/// What a next link carries from one page to the next, as the one parameter `cursor`: base64url, which every client
/// sends back as it came. The official Python client decodes the values of a next link once and sends them back so; a
/// collection `R&D` or `%41` written there would come back as another one (API spec A.10).
///
/// Not secret and not signed: whoever makes one up gets what the same parameters would have given. The bytes are in
/// Documentation/spec/page-cursor.md.
struct PageCursor: Sendable {
    enum List: UInt8, Sendable {
        case entries = 1
        case collections = 2
        case tags = 3
        case users = 4
    }

    static let parameter = "cursor"
    /// The last item of the page before. Only a cursor has it.
    static let after = "after"
    /// Of the encoded form. The longest that is given out has some 2,500.
    static let textByteLimit = 4096
    private static let version: UInt8 = 1
    private static let names = [
        "collectionId", "fromTransactionId", "toTransactionId", "tag", "author", "fromTime", "toTime", "limit", after,
    ]

    let list: List
    private(set) var items: [(name: String, value: String)] = []

    init(_ list: List) { self.list = list }

    /// Leaves out absent values. Names must come in the order of `names`.
    func adding(_ name: String, _ value: String?) -> PageCursor {
        guard let value else { return self }
        var copy = self
        copy.items.append((name, value))
        return copy
    }

    /// The encoded form.
    var text: String {
        var bytes = [Self.version, list.rawValue]
        for (name, value) in items {
            guard let index = Self.names.firstIndex(of: name), value.utf8.count <= Int(UInt16.max) else { continue }
            bytes += [UInt8(index), UInt8(value.utf8.count >> 8), UInt8(value.utf8.count & 0xFF)]
            bytes += value.utf8
        }
        return Base64URL.encode(bytes)
    }

    /// Returns `nil` for what is no cursor of that list. The values are not checked further: they are parameters.
    init?(_ text: String, of list: List) {
        guard text.utf8.count <= Self.textByteLimit, let bytes = Base64URL.decode(text), bytes.count >= 2,
            bytes[0] == Self.version, bytes[1] == list.rawValue
        else { return nil }
        self.list = list
        var rest = bytes[2...]
        var last = -1
        while !rest.isEmpty {
            let head = Array(rest.prefix(3))
            guard head.count == 3, Int(head[0]) > last, Int(head[0]) < Self.names.count else { return nil }
            let count = Int(head[1]) << 8 | Int(head[2])
            rest = rest.dropFirst(3)
            guard count > 0, count <= rest.count, !rest.prefix(count).contains(0),
                let value = String(validating: rest.prefix(count), as: UTF8.self)
            else { return nil }
            last = Int(head[0])
            items.append((Self.names[last], value))
            rest = rest.dropFirst(count)
        }
    }

    /// Calls `answer` with the parameters of the page that is asked for: those of the cursor, when there is one.
    /// Throws `APIError` 400 for a cursor that is not one of that list or holds what no page would have, and for a
    /// parameter beside it that says something else.
    static func page(
        of list: List, _ context: RequestContext, _ answer: (RequestContext) async throws -> Response
    ) async throws -> Response {
        guard let text = context.query[parameter] else { return try await answer(context) }
        guard let cursor = PageCursor(text, of: list) else { throw notOurs }
        var following = context
        following.query = try context.query.replaced(by: cursor.items)
        do {
            return try await answer(following)
        } catch let error as APIError where error.code == .invalidQueryParameterValue {
            // A limit beside the cursor is the caller's own.
            if cursor.items.allSatisfy({ $0.name != "limit" }), context.query["limit"] != nil { throw error }
            throw notOurs
        }
    }

    private static let notOurs = APIError(
        .invalidQueryParameterValue, "The query parameter 'cursor' is not one that this service gave out.")
}
