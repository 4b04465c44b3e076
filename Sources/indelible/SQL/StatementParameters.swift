import Foundation

/// The parameters in the text of one statement. It is not prepared: the tables that it names may be made by the
/// statements before it. The rules are those of SQLite's own tokens.
struct StatementParameters {
    /// As SQLite counts them: the highest number.
    private(set) var count = 0
    /// What stands in the text (`:id`, `?3`), by number from 1; a plain `?` has no name.
    private(set) var names: [Int: String] = [:]

    /// More than SQLite allows, so that no number in a text overflows.
    private static let most = 1 << 20

    init(_ sql: String) {
        let bytes = Array(sql.replacingOccurrences(of: "\u{FEFF}", with: " ").utf8)
        var place = 0
        while place < bytes.count, bytes[place] != 0 {
            let start = place
            place += 1
            switch bytes[start] {
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
                place = Self.end(of: [bytes[start]], in: bytes, from: place)
            case UInt8(ascii: "["):
                place = Self.end(of: [UInt8(ascii: "]")], in: bytes, from: place)
            case UInt8(ascii: "-") where bytes[place...].first == UInt8(ascii: "-"):
                place = Self.end(of: [UInt8(ascii: "\n")], in: bytes, from: place)
            case UInt8(ascii: "/") where bytes[place...].first == UInt8(ascii: "*"):
                place = Self.end(of: Array("*/".utf8), in: bytes, from: place + 1)
            case UInt8(ascii: "?"):
                while place < bytes.count, Self.isDigit(bytes[place]) { place += 1 }
                add(bytes[start..<place])
            case UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "$"), UInt8(ascii: "#"):
                place = Self.endOfName(in: bytes, from: place)
                if place > start + 1 { add(bytes[start..<place]) }
            case let byte where Self.isNameByte(byte):
                while place < bytes.count, Self.isNameByte(bytes[place]) { place += 1 }
            default: break
            }
        }
    }

    private mutating func add(_ bytes: ArraySlice<UInt8>) {
        let name = String(decoding: bytes, as: UTF8.self)
        if name == "?" {
            count += 1
        } else if name.hasPrefix("?") {
            let number = min(Int(name.dropFirst()) ?? Self.most, Self.most)
            names[number] = names[number] ?? name
            count = max(count, number)
        } else if !names.values.contains(name) {
            count += 1
            names[count] = name
        }
    }

    /// Behind the next `mark`, or the end of the text.
    private static func end(of mark: [UInt8], in bytes: [UInt8], from start: Int) -> Int {
        var place = start
        while place + mark.count <= bytes.count {
            if bytes[place..<(place + mark.count)].elementsEqual(mark) { return place + mark.count }
            place += 1
        }
        return bytes.count
    }

    /// `::` and a suffix in parentheses belong to the name, as Tcl writes its variables.
    private static func endOfName(in bytes: [UInt8], from start: Int) -> Int {
        let colon = UInt8(ascii: ":")
        var place = start
        while place < bytes.count {
            if isNameByte(bytes[place]) {
                place += 1
            } else if bytes[place] == colon, bytes[(place + 1)...].first == colon {
                place += 2
            } else if bytes[place] == UInt8(ascii: "("), place > start {
                let end = bytes[place...].firstIndex { $0 <= 0x20 || $0 == UInt8(ascii: ")") } ?? bytes.count
                return min(end + 1, bytes.count)
            } else {
                break
            }
        }
        return place
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "$") || byte >= 0x80
    }
}
