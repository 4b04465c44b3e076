import Foundation

/// Cuts SQL text into statements. It only knows where one ends: at a semicolon outside of strings, names and comments,
/// and for CREATE TRIGGER at the `END` after its body (the rule of SQLite's own shell).
struct StatementSplitter {
    private enum Place {
        case start, explain, create, plain, trigger, triggerSemicolon, triggerEnd
    }

    private enum Token {
        case semicolon, word(String), other
    }

    private var bytes: [UInt8] = []
    /// Where the scan goes on; everything before it in `bytes` belongs to the unfinished statement.
    private var position = 0
    private var place = Place.start

    mutating func append(_ text: String) {
        bytes += Array(text.utf8)
    }

    /// The next complete statement, with its semicolon; empty statements are left out. `nil`: more text is needed.
    mutating func next() -> String? {
        while let (token, end) = token() {
            let wasStart = if case .start = place { true } else { false }
            let isEnd = advance(token)
            position = end
            guard isEnd else { continue }
            let statement = take()
            if !wasStart { return statement }
        }
        return nil
    }

    /// What is left: a statement without its semicolon, or nothing but blanks and comments (`nil`).
    mutating func rest() -> String? {
        if let statement = next() { return statement }
        let isEmpty = if case .start = place { true } else { false }
        let text = take(all: true).trimmingCharacters(in: .whitespacesAndNewlines)
        return isEmpty || text.isEmpty ? nil : text
    }

    /// Whether a statement has begun and not ended.
    var isInside: Bool {
        if case .start = place { return position < bytes.count && !isBlank(bytes[position...]) }
        return true
    }

    /// Forgets an unfinished statement.
    mutating func reset() {
        bytes = []
        position = 0
        place = .start
    }

    /// Whether the statement ends a transaction: COMMIT, END, or ROLLBACK that is not TO a savepoint.
    static func endsTransaction(_ statement: String) -> Bool {
        let words = firstWords(of: statement, 3)
        return switch words.first {
        case "COMMIT", "END": true
        case "ROLLBACK": !words.dropFirst().contains("TO")
        default: false
        }
    }

    /// Whether the statement may insert, update or delete rows. One that begins with WITH may also only read.
    static func changesRows(_ statement: String) -> Bool {
        firstWords(of: statement, 1).contains { ["INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"].contains($0) }
    }

    /// In upper case, as far as nothing else stands between them.
    private static func firstWords(of statement: String, _ most: Int) -> [String] {
        // SQLite reads over a byte order mark.
        var scanner = StatementSplitter()
        scanner.append(statement.replacingOccurrences(of: "\u{FEFF}", with: " ") + "\n")
        var words: [String] = []
        while words.count < most, let (token, end) = scanner.token(), case .word(let word) = token {
            words.append(word)
            scanner.position = end
        }
        return words
    }

    private func isBlank(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.allSatisfy { $0 <= 0x20 } }

    private mutating func take(all: Bool = false) -> String {
        let end = all ? bytes.count : position
        let text = String(decoding: bytes[..<end], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        bytes.removeSubrange(..<end)
        position = 0
        place = .start
        return text
    }

    /// Whether the token ends the statement.
    private mutating func advance(_ token: Token) -> Bool {
        let word: String? = if case .word(let text) = token { text } else { nil }
        let isSemicolon = if case .semicolon = token { true } else { false }
        switch place {
        case .start:
            if isSemicolon { return true }
            place =
                switch word {
                case "EXPLAIN": .explain
                case "CREATE": .create
                default: .plain
                }
        case .explain:
            if isSemicolon { return true }
            if word == "CREATE" {
                place = .create
            } else if word != "QUERY", word != "PLAN" {
                place = .plain
            }
        case .create:
            if isSemicolon { return true }
            if word == "TRIGGER" {
                place = .trigger
            } else if word != "TEMP", word != "TEMPORARY" {
                place = .plain
            }
        case .plain:
            return isSemicolon
        case .trigger:
            if isSemicolon { place = .triggerSemicolon }
        case .triggerSemicolon:
            if !isSemicolon { place = word == "END" ? .triggerEnd : .trigger }
        case .triggerEnd:
            if isSemicolon { return true }
            place = .trigger
        }
        return false
    }

    /// The token at `position` and where it ends. `nil`: it may go on in text that was not given yet.
    private mutating func token() -> (Token, Int)? {
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case 0...0x20:
                position += 1
            case UInt8(ascii: "-") where position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "-"):
                guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
                position = end + 1
            case UInt8(ascii: "/") where position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "*"):
                guard let end = endOfComment(from: position + 2) else { return nil }
                position = end
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
                guard let end = bytes[(position + 1)...].firstIndex(of: byte) else { return nil }
                return (.other, end + 1)
            case UInt8(ascii: "["):
                guard let end = bytes[(position + 1)...].firstIndex(of: UInt8(ascii: "]")) else { return nil }
                return (.other, end + 1)
            case UInt8(ascii: ";"):
                return (.semicolon, position + 1)
            default:
                guard isWordByte(byte) else { return (.other, position + 1) }
                var end = position + 1
                while end < bytes.count, isWordByte(bytes[end]) { end += 1 }
                // A longer word than any keyword needs no upper-case copy.
                guard end - position <= 16 else { return (.other, end) }
                return (.word(String(decoding: bytes[position..<end], as: UTF8.self).uppercased()), end)
            }
        }
        return nil
    }

    private func endOfComment(from start: Int) -> Int? {
        var index = start
        while index + 1 < bytes.count {
            if bytes[index] == UInt8(ascii: "*"), bytes[index + 1] == UInt8(ascii: "/") { return index + 2 }
            index += 1
        }
        return nil
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}
