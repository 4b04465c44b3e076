/// A JSON value as read by `JSONReader`. Objects keep their order and never hold a name twice.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The digits as written. Receipts hold no numbers that matter, so none is converted.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    package var object: [JSONMember]? {
        if case .object(let value) = self { value } else { nil }
    }
}
