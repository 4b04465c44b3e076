/// The body of `POST /app/transactions` (API spec A.3), read without building a tree.
///
/// A JSON object with the string member `contents`. `preHooks` and `postHooks` must be absent, `null` or empty:
/// functions are not offered. Other members are ignored, but must be valid JSON and named once.
public struct CreateEntryBody: Hashable, Sendable {
    public var contents: String

    public init(contents: String) { self.contents = contents }

    /// Errors name the member and the rule.
    public init(json: UnsafeRawBufferPointer) throws(JSONError) {
        var reader = JSONReader(json)
        guard try reader.peek() == UInt8(ascii: "{") else {
            throw JSONError("the body must be a JSON object with the string member \"contents\"")
        }
        try reader.enter(UInt8(ascii: "{"))
        var contents: String?
        // Names already seen. Bodies have one to five members, so a list is the quickest set.
        var names: [String] = []
        var seen: Set<String> = []
        var first = true
        while try reader.hasNext(closing: UInt8(ascii: "}"), first: first) {
            first = false
            let name = try reader.string()
            let isNew: Bool
            if names.count < 16 {
                isNew = !names.contains(name)
                names.append(name)
            } else {
                if seen.isEmpty { seen = Set(names) }
                isNew = seen.insert(name).inserted
            }
            guard isNew else {
                throw JSONError("the body has the member \"\(name.prefix(64))\" twice", offset: reader.offset)
            }
            try reader.expect(UInt8(ascii: ":"))
            switch name {
            case "contents":
                guard try reader.peek() == UInt8(ascii: "\"") else {
                    throw JSONError("\"contents\" must be a JSON string", offset: reader.offset)
                }
                contents = try reader.string()
            case "preHooks", "postHooks":
                switch try reader.value() {
                case .null: break
                case .array(let hooks) where hooks.isEmpty: break
                case .array: throw JSONError("\"\(name)\" must be empty: user-defined functions are not offered")
                default: throw JSONError("\"\(name)\" must be an array")
                }
            default: _ = try reader.value()
            }
        }
        try reader.expectEnd()
        guard let contents else { throw JSONError("the body lacks the string member \"contents\"") }
        self.contents = contents
    }

    public init(json: [UInt8]) throws(JSONError) {
        var result: Result<CreateEntryBody, JSONError> = .success(CreateEntryBody(contents: ""))
        json.withUnsafeBytes { raw in
            do throws(JSONError) {
                result = .success(try CreateEntryBody(json: raw))
            } catch {
                result = .failure(error)
            }
        }
        self = try result.get()
    }
}
