/// The members of one JSON object of a receipt, under their camelCase names: the ledger's two wire shapes
/// differ only in the spelling of names.
struct JSONMembers {
    private var values: [String: JSONValue] = [:]

    /// - Throws: `ProofError.invalidMember` when `value` is no object, `.duplicateMember` when two names have the
    ///   same camelCase form.
    init(_ value: JSONValue, _ what: StaticString) throws(ProofError) {
        guard let members = value.object else { throw .invalid("\(what) is not an object") }
        for member in members {
            guard values.updateValue(member.value, forKey: Self.camelCase(member.name)) == nil else {
                throw .duplicate("a member of \(what) occurs in two spellings")
            }
        }
    }

    /// `write_set_digest` → `writeSetDigest`; names without underscores stay as they are.
    private static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "_", omittingEmptySubsequences: false)
        guard words.count > 1, !words.contains(where: \.isEmpty) else { return name }
        return words[0] + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    subscript(name: StaticString) -> JSONValue? { values[name.description] }

    /// Throws `.unexpectedMember` if there is a member with any other name.
    func requireOnly(_ names: Set<String>, _ what: StaticString) throws(ProofError) {
        guard names.isSuperset(of: values.keys) else { throw .unexpected("\(what) has a member that is not allowed") }
    }

    func value(_ name: StaticString) throws(ProofError) -> JSONValue {
        guard let value = self[name], value != .null else { throw .missing("\(name) is missing") }
        return value
    }

    func string(_ name: StaticString) throws(ProofError) -> String {
        guard let string = try value(name).string else { throw .invalid("\(name) is not a string") }
        return string
    }

    func array(_ name: StaticString) throws(ProofError) -> [JSONValue] {
        guard let array = try value(name).array else { throw .invalid("\(name) is not an array") }
        return array
    }

    func digest(_ name: StaticString) throws(ProofError) -> Digest32 {
        guard let digest = Digest32(hex: try string(name)) else {
            throw .invalid("\(name) is not 64 hexadecimal digits")
        }
        return digest
    }
}
