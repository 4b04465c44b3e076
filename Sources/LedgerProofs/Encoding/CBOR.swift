/// The part of CBOR (RFC 8949) that ledger signatures and receipts use. Lengths are definite and numbers have
/// their shortest form, in both directions. Maps keep their order, because signed bytes depend on it.
///
/// Documentation/spec/receipt-cose.md, "CBOR rules"
public enum CBOR: Hashable, Sendable {
    case unsigned(UInt64)
    /// The number `-1 - value`.
    case negative(UInt64)
    case bytes([UInt8])
    case text(String)
    case array([CBOR])
    case map([Pair])
    indirect case tagged(UInt64, CBOR)
    case bool(Bool)
    case null

    /// One key and its value.
    public struct Pair: Hashable, Sendable {
        public var key: CBOR
        public var value: CBOR

        public init(_ key: CBOR, _ value: CBOR) {
            self.key = key
            self.value = value
        }
    }

    /// The number `value`, of either sign.
    public static func integer(_ value: Int64) -> CBOR {
        value >= 0 ? .unsigned(UInt64(value)) : .negative(UInt64(-1 - value))
    }

    /// The number, or `nil` for other types and for numbers beyond 64 bits with sign.
    public var integer: Int64? {
        switch self {
        case .unsigned(let value): Int64(exactly: value)
        case .negative(let value): Int64(exactly: value).map { -1 - $0 }
        default: nil
        }
    }

    /// The bytes of a byte string, or `nil`.
    public var bytes: [UInt8]? {
        if case .bytes(let value) = self { value } else { nil }
    }

    /// The text of a text string, or `nil`.
    public var text: String? {
        if case .text(let value) = self { value } else { nil }
    }

    /// The items of an array, or `nil`.
    public var array: [CBOR]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The pairs of a map, or `nil`.
    public var map: [Pair]? {
        if case .map(let value) = self { value } else { nil }
    }

    /// The value under `key` of a map, or `nil`.
    public subscript(key: CBOR) -> CBOR? {
        map?.first { $0.key == key }?.value
    }
}
