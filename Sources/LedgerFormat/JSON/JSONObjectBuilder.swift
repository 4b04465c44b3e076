import LedgerProofs

/// Builds a row's JSON object; fields that are `nil` stay out.
struct JSONObjectBuilder {
    var members: [String: JSONValue] = [:]

    mutating func set(_ name: String, _ text: String?) { if let text { members[name] = .string(text) } }
    mutating func set(_ name: String, _ number: UInt64?) {
        if let number { members[name] = Int64(exactly: number).map { .integer($0) } ?? .unsigned(number) }
    }
    mutating func set(_ name: String, _ value: Bool?) { if let value { members[name] = .bool(value) } }
    mutating func set(_ name: String, base64 bytes: [UInt8]?) {
        if let bytes { members[name] = .string(Base64.encode(bytes)) }
    }
    mutating func set(_ name: String, _ id: TransactionID?) { set(name, id?.description) }
    mutating func set(_ name: String, _ value: JSONValue?) { if let value { members[name] = value } }

    var value: JSONValue { .object(members) }
    func encoded() -> [UInt8] { value.encoded() }
}
