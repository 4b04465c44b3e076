import LedgerProofs
import SQLLedger

/// One row as one JSON object, members named by the columns.
struct JSONRow: Encodable {
    struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    var columns: [String]
    var values: [SQLValue]

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        var seen: Set<String> = []
        for (name, value) in zip(columns, values) {
            // Two columns of one name must not overwrite each other, nor one that is called what the second is given.
            var text = name
            var count = 1
            while !seen.insert(text).inserted {
                count += 1
                text = "\(name):\(count)"
            }
            let key = Key(text)
            switch value {
            case .null: try container.encodeNil(forKey: key)
            case .integer(let integer): try container.encode(integer, forKey: key)
            case .real(let number) where number.isFinite: try container.encode(number, forKey: key)
            case .real(let number): try container.encode(number > 0 ? "Infinity" : "-Infinity", forKey: key)
            case .text(let bytes):
                if let text = String(validating: bytes, as: UTF8.self) {
                    try container.encode(text, forKey: key)
                } else {
                    try container.encode(["hex": Hex.encode(bytes)], forKey: key)
                }
            case .blob(let bytes): try container.encode(["hex": Hex.encode(bytes)], forKey: key)
            }
        }
    }
}
