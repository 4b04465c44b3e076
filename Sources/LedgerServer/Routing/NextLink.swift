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

    /// The link to the page that `cursor` tells of, with the version that was asked for.
    static func to(_ cursor: PageCursor, _ path: String, _ context: RequestContext) -> NextLink {
        NextLink(path).adding("api-version", context.versionName).adding(PageCursor.parameter, cursor.text)
    }
}
