import LedgerAPI

/// A `nextLink`: a path relative to the endpoint with every value percent-encoded (API spec A.10). Never empty.
struct NextLink: Sendable {
    private var text: String
    private var isFirst = true

    init(_ path: String) { self.text = path }

    /// Leaves out absent values.
    func adding(_ name: String, _ value: String?) -> NextLink {
        guard let value else { return self }
        var copy = self
        copy.text += (isFirst ? "?" : "&") + name + "=" + PercentDecoding.encode(value)
        copy.isFirst = false
        return copy
    }

    var json: JSONValue { .string(text) }

    /// A cursor that survives every client: base64url of the last item.
    static func cursor(after item: String) -> String { Base64URL.encode(item.utf8) }

    /// The item of a cursor from the query parameter `cursor`; `nil` when absent. Throws `APIError` 400.
    static func item(_ query: Query) throws -> String? {
        guard let text = query["cursor"] else { return nil }
        guard text.utf8.count <= 4096, let bytes = Base64URL.decode(text),
            let item = String(validating: bytes, as: UTF8.self), !item.isEmpty
        else {
            throw APIError(
                .invalidQueryParameterValue, "The query parameter 'cursor' is not one that this service gave out.")
        }
        return item
    }
}
