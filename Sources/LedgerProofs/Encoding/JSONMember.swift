/// One member of a JSON object.
struct JSONMember: Hashable, Sendable {
    var name: String
    var value: JSONValue
}
