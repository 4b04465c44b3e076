import LedgerProofs

/// Typed access to the members of a row's JSON object. A missing field and a field of another type are different
/// errors; unknown fields are left alone, because newer CCF versions add some.
struct JSONFields {
    let members: [String: JSONValue]
    let row: StaticString

    init(_ bytes: [UInt8], row: StaticString) throws(LedgerFormatError) {
        try self.init(JSONValue(decoding: bytes), row: row)
    }

    init(_ value: JSONValue, row: StaticString) throws(LedgerFormatError) {
        guard case .object(let members) = value else {
            throw LedgerFormatError(.table, "\(row) must be a JSON object")
        }
        self.members = members
        self.row = row
    }

    private func wrong(_ name: String, _ want: StaticString) -> LedgerFormatError {
        LedgerFormatError(.table, "field \(name) of \(row) must be \(want)")
    }

    private func required<T>(_ name: String, _ value: T?) throws(LedgerFormatError) -> T {
        guard let value else { throw LedgerFormatError(.table, "field \(name) of \(row) is missing") }
        return value
    }

    func optionalString(_ name: String) throws(LedgerFormatError) -> String? {
        switch members[name] {
        case nil: return nil
        case .string(let text): return text
        default: throw wrong(name, "text")
        }
    }

    func string(_ name: String) throws(LedgerFormatError) -> String { try required(name, optionalString(name)) }

    func optionalUnsigned(_ name: String) throws(LedgerFormatError) -> UInt64? {
        switch members[name] {
        case nil: return nil
        case .integer(let value) where value >= 0: return UInt64(value)
        case .unsigned(let value): return value
        default: throw wrong(name, "a whole number that is not negative")
        }
    }

    func unsigned(_ name: String) throws(LedgerFormatError) -> UInt64 { try required(name, optionalUnsigned(name)) }

    func optionalBool(_ name: String) throws(LedgerFormatError) -> Bool? {
        switch members[name] {
        case nil: return nil
        case .bool(let value): return value
        default: throw wrong(name, "true or false")
        }
    }

    func optionalBase64(_ name: String) throws(LedgerFormatError) -> [UInt8]? {
        guard let text = try optionalString(name) else { return nil }
        guard let bytes = Base64.decode(text) else { throw wrong(name, "base64") }
        return bytes
    }

    func base64(_ name: String) throws(LedgerFormatError) -> [UInt8] { try required(name, optionalBase64(name)) }

    func digest(_ name: String) throws(LedgerFormatError) -> Digest32 {
        guard let digest = Digest32(hex: try string(name)) else { throw wrong(name, "64 hexadecimal digits") }
        return digest
    }

    func optionalTransaction(_ name: String) throws(LedgerFormatError) -> TransactionID? {
        guard let text = try optionalString(name) else { return nil }
        guard let id = TransactionID(text) else { throw wrong(name, "a transaction id") }
        return id
    }

    func transaction(_ name: String) throws(LedgerFormatError) -> TransactionID {
        try required(name, optionalTransaction(name))
    }

    func optionalObject(_ name: String) throws(LedgerFormatError) -> [String: JSONValue]? {
        switch members[name] {
        case nil: return nil
        case .object(let members): return members
        default: throw wrong(name, "an object")
        }
    }

    func value(_ name: String) throws(LedgerFormatError) -> JSONValue { try required(name, members[name]) }
}
