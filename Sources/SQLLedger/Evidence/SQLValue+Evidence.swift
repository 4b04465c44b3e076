import LedgerProofs

extension SQLValue {
    /// Reads a value of a bundle.
    init(evidence value: JSONValue) throws(ProofError) {
        guard let type = value.object?.first(where: { $0.name == "type" })?.value.string else {
            throw .missing("a value has no type")
        }
        switch type {
        case "null":
            _ = try StrictObject(value, "a value", members: ["type"])
            self = .null
        case "integer":
            let text = try StrictObject(value, "an integer", members: ["type", "value"]).string("value")
            guard let number = Int64(text), String(number) == text else {
                throw .invalid("value of an integer is not a 64-bit number in decimal")
            }
            self = .integer(number)
        case "real":
            self = .real(try Self.real(StrictObject(value, "a real", members: ["bits", "type", "value"])))
        case "text":
            guard value.object?.contains(where: { $0.name == "hex" }) == true else {
                self = .text(try StrictObject(value, "a text", members: ["type", "value"]).string("value"))
                return
            }
            let bytes = try StrictObject(value, "a text", members: ["hex", "type"]).hex("hex")
            guard String(validating: bytes, as: UTF8.self) == nil else {
                throw .invalid("hex of a text is UTF-8, which belongs into value")
            }
            self = .text(bytes)
        case "blob":
            self = .blob(try StrictObject(value, "a blob", members: ["hex", "type"]).hex("hex"))
        default:
            throw .unsupported("a value has an unknown type")
        }
    }

    private static func real(_ object: StrictObject) throws(ProofError) -> Double {
        let bits = try object.hex("bits")
        guard bits.count == 8 else { throw .invalid("bits of a real is not 16 lower-case hexadecimal digits") }
        let number = Double(bitPattern: bits.reduce(0) { $0 << 8 | UInt64($1) })
        guard number.bitPattern != (-0.0).bitPattern, !number.isNaN else {
            throw .invalid("bits of a real is -0.0 or no number, which are never written")
        }
        let text = try object.string("value")
        let shown: Double? =
            switch text {
            case "Infinity": .infinity
            case "-Infinity": -.infinity
            default: isJSONNumber(text) ? Double(text) : nil
            }
        guard shown?.bitPattern == number.bitPattern else { throw .invalid("value of a real is not what its bits say") }
        return number
    }

    /// `Double` reads more than JSON allows, such as hexadecimal numbers.
    private static func isJSONNumber(_ text: String) -> Bool {
        let limits = DecodingLimits(maximumByteCount: 1024, maximumDepth: 1, maximumItemCount: 1)
        guard case .number(text)? = try? JSONValue(json: Array(text.utf8), limits: limits) else { return false }
        return true
    }

    /// The value as a bundle has it.
    var evidenceJSON: JSONValue {
        switch self {
        case .null:
            return .object(["type": .string("null")])
        case .integer(let value):
            return .object(["type": .string("integer"), "value": .string(String(value))])
        case .real(let value):
            let number = value == 0 ? 0.0 : value
            let bits = withUnsafeBytes(of: number.bitPattern.bigEndian) { Hex.encode($0) }
            let text = number.isInfinite ? (number > 0 ? "Infinity" : "-Infinity") : "\(number)"
            return .object(["bits": .string(bits), "type": .string("real"), "value": .string(text)])
        case .text(let bytes):
            if let text = String(validating: bytes, as: UTF8.self) {
                return .object(["type": .string("text"), "value": .string(text)])
            }
            return .object(["hex": .string(Hex.encode(bytes)), "type": .string("text")])
        case .blob(let bytes):
            return .object(["hex": .string(Hex.encode(bytes)), "type": .string("blob")])
        }
    }
}
