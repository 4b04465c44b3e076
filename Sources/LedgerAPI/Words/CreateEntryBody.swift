import LedgerProofs

/// The body of `POST /app/transactions` (API spec A.3), read without building a tree.
///
/// A JSON object with the string member `contents`. `preHooks` and `postHooks` must be absent, `null` or empty:
/// functions are not offered. Other members are ignored, but must be valid JSON and named once.
public struct CreateEntryBody: Hashable, Sendable {
    public var contents: String

    public init(contents: String) { self.contents = contents }

    /// Errors name the member and the rule.
    public init(json: UnsafeRawBufferPointer) throws(JSONError) {
        let found: Result<String, JSONError>
        do throws(JSONTextError) {
            found = try Self.contents(json)
        } catch {
            throw JSONError(error)
        }
        contents = try found.get()
    }

    /// The member, or what the body's meaning lacks; throws when it is not JSON.
    private static func contents(_ json: UnsafeRawBufferPointer) throws(JSONTextError) -> Result<String, JSONError> {
        var tokens = try JSONTokens(json, limits: JSONValue.limits)
        guard try tokens.peek() == UInt8(ascii: "{") else {
            return .failure(JSONError("the body must be a JSON object with the string member \"contents\""))
        }
        try tokens.enter(UInt8(ascii: "{"))
        var contents: String?
        var names = JSONMemberNames()
        var isFirst = true
        while try tokens.hasNext(closing: UInt8(ascii: "}"), first: isFirst) {
            isFirst = false
            let name = try tokens.name(new: &names)
            switch name {
            case "contents":
                guard try tokens.peek() == UInt8(ascii: "\"") else {
                    return .failure(JSONError("\"contents\" must be a JSON string", offset: tokens.offset))
                }
                contents = try tokens.string()
            case "preHooks", "postHooks":
                switch try JSONValue(from: &tokens) {
                case .null: break
                case .array(let hooks) where hooks.isEmpty: break
                case .array:
                    return .failure(JSONError("\"\(name)\" must be empty: user-defined functions are not offered"))
                default: return .failure(JSONError("\"\(name)\" must be an array"))
                }
            default: _ = try JSONValue(from: &tokens)
            }
        }
        try tokens.expectEnd()
        guard let contents else { return .failure(JSONError("the body lacks the string member \"contents\"")) }
        return .success(contents)
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
