import SQLLedger

/// Texts of others as they may stand in a line of output: nothing in them can end the line, pass for another column
/// or steer the terminal.
enum PlainText {
    static func of(_ text: String) -> String { escaped(text, where: \.isUnsafe) }

    /// As `of`, and nothing is left that does not show, or shows as another space.
    static func visible(_ text: String) -> String { escaped(text) { !$0.isShown } }

    /// As `visible`, and of two texts no one passes for the other: for what somebody goes by to the letter.
    static func exact(_ text: String) -> String { escaped(text) { $0 == "\\" || !$0.isShown } }

    private static func escaped(_ text: String, where isEscaped: (Unicode.Scalar) -> Bool) -> String {
        guard text.unicodeScalars.contains(where: isEscaped) else { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\\" where isEscaped(scalar): out += "\\\\"
            case _ where isEscaped(scalar): out += "\\u{\(String(scalar.value, radix: 16))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// The same for one line of JSON, whose texts stay what they are.
    static func of(json line: [UInt8]) -> [UInt8] {
        guard line.contains(where: { $0 >= 0x7F }) else { return line }
        var out = ""
        for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
            if scalar.isUnsafe {
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return Array(out.utf8)
    }
}
