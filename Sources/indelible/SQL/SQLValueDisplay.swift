import Foundation
import LedgerProofs
import SQLLedger

extension SQLValue {
    var integer: Int64? { if case .integer(let value) = self { value } else { nil } }

    /// For people: NULL, numbers, text as it is, BLOBs as x'…' (long ones cut).
    var shown: String {
        switch self {
        case .null: "NULL"
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let bytes): String(decoding: bytes, as: UTF8.self)
        case .blob(let bytes):
            "x'\(Hex.encode(bytes.prefix(32)))\(bytes.count > 32 ? "…' (\(bytes.count) bytes)" : "'")"
        }
    }
}

extension String {
    /// As a word of a shell command, for messages that name the next one.
    var quotedForShell: String {
        let plain =
            !isEmpty
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "/._-:=+@%".utf8.contains(byte)
                }
            }
        return plain ? self : "'\(replacing(scalar: "'", with: "'\\''"))'"
    }
}

extension [String] {
    /// The first names, and how many more there are.
    var listed: String {
        let limit = 12
        let names = prefix(limit).map(PlainText.of).joined(separator: ", ")
        return count > limit ? "\(names) and \(count - limit) more" : names
    }
}
