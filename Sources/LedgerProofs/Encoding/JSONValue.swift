/// A JSON value. Objects keep their order and never hold a name twice.
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

extension JSONValue: JSONTree {
    package static func number(_ digits: String, at offset: Int) -> JSONValue { .number(digits) }

    package static func object(_ members: [(name: String, value: JSONValue)]) -> JSONValue {
        .object(members.map { JSONMember(name: $0.name, value: $0.value) })
    }

    /// Reads exactly one value.
    /// - Throws: `ProofError`: `.outOfRange` for more than `limits` allow, `.malformed`, `.duplicateMember`,
    ///   `.trailingBytes`.
    package init(json bytes: [UInt8], limits: DecodingLimits) throws(ProofError) {
        do throws(JSONTextError) {
            self = try .reading(bytes, limits: limits)
        } catch {
            throw ProofError(error)
        }
    }
}
