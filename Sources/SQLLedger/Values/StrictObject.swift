import LedgerProofs

/// The members of one JSON object of which every name is known: none is missing, none is unknown.
struct StrictObject {
    private let values: [String: JSONValue]
    private let what: String

    /// Numbers above this are not exact in every JSON reader.
    static let largestInteger: UInt64 = (1 << 53) - 1

    /// - Throws: `ProofError`: `.invalidMember` when `value` is no object, `.unexpectedMember`, `.missingMember`.
    init(_ value: JSONValue, _ what: String, members names: Set<String>) throws(ProofError) {
        guard let members = value.object else { throw .invalid("\(what) is not an object") }
        // The reader refuses names that occur twice.
        values = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
        self.what = what
        guard names.isSuperset(of: values.keys) else { throw .unexpected("\(what) has an unknown member") }
        for name in names.sorted() where values[name] == nil { throw .missing("\(what) has no \(name)") }
    }

    /// Reads one JSON value and its members.
    init(_ bytes: [UInt8], limits: DecodingLimits, _ what: String, members: Set<String>) throws(ProofError) {
        try self.init(JSONValue(json: bytes, limits: limits), what, members: members)
    }

    subscript(name: String) -> JSONValue { values[name] ?? .null }

    func isNull(_ name: String) -> Bool { self[name] == .null }

    func string(_ name: String) throws(ProofError) -> String {
        guard let string = self[name].string else { throw .invalid("\(name) of \(what) is not a string") }
        return string
    }

    func optionalString(_ name: String) throws(ProofError) -> String? {
        isNull(name) ? nil : try string(name)
    }

    func array(_ name: String) throws(ProofError) -> [JSONValue] {
        guard let array = self[name].array else { throw .invalid("\(name) of \(what) is not an array") }
        return array
    }

    /// A whole number from 0 to 2⁵³ - 1, without sign, leading zeros, fraction or exponent.
    func integer(_ name: String) throws(ProofError) -> UInt64 {
        guard case .number(let digits) = self[name] else { throw .invalid("\(name) of \(what) is not a number") }
        guard let value = UInt64(digits), String(value) == digits, value <= Self.largestInteger else {
            throw .invalid("\(name) of \(what) is not a whole number from 0 to 2^53 - 1")
        }
        return value
    }

    /// 0 or 1.
    func flag(_ name: String) throws(ProofError) -> Bool {
        let value = try integer(name)
        guard value <= 1 else { throw .invalid("\(name) of \(what) is neither 0 nor 1") }
        return value == 1
    }

    func bool(_ name: String) throws(ProofError) -> Bool {
        guard case .bool(let value) = self[name] else { throw .invalid("\(name) of \(what) is neither true nor false") }
        return value
    }

    /// 64 lower-case hexadecimal digits.
    func digest(_ name: String) throws(ProofError) -> Digest32 {
        let text = try string(name)
        guard let digest = Digest32(hex: text), digest.hex == text else {
            throw .invalid("\(name) of \(what) is not 64 lower-case hexadecimal digits")
        }
        return digest
    }

    /// An even number of lower-case hexadecimal digits.
    func hex(_ name: String) throws(ProofError) -> [UInt8] {
        let text = try string(name)
        guard let bytes = Hex.decode(text), !text.utf8.contains(where: { (0x41...0x46).contains($0) }) else {
            throw .invalid("\(name) of \(what) is not lower-case hexadecimal digits")
        }
        return bytes
    }

    /// 32 lower-case hexadecimal digits.
    func ledgerID(_ name: String) throws(ProofError) -> LedgerID {
        guard let id = LedgerID(hex: try string(name)) else {
            throw .invalid("\(name) of \(what) is not 32 lower-case hexadecimal digits")
        }
        return id
    }

    func time(_ name: String) throws(ProofError) -> CommitTime {
        guard let time = CommitTime(try string(name)) else {
            throw .invalid("\(name) of \(what) is not a time YYYY-MM-DDThh:mm:ss.ffffffZ")
        }
        return time
    }
}

extension JSONValue {
    static func integer(_ value: UInt64) -> JSONValue { .number(String(value)) }
    static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// An object from names and values, in the order given.
    static func object(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(members.map { JSONMember(name: $0.key, value: $0.value) })
    }
}
