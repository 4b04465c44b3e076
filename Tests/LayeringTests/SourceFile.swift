/// One Swift file as the layering tests see it.
struct SourceFile {
    struct Import {
        var line: Int
        /// The whole statement, attributes included.
        var text: String
        var module: String
    }

    var path: String
    var lines: [Substring]
    /// Line number and text without comments and string literals.
    var code: [(number: Int, text: String)]
    /// Every import, in every form the language has: attributes, access levels, single symbols, submodules.
    var imports: [Import]

    init(path: String, text: String) {
        self.path = path
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        self.code = SourceFile.stripped(lines)
        self.imports = SourceFile.imports(in: code)
    }

    private static func imports(in code: [(number: Int, text: String)]) -> [Import] {
        var found: [Import] = []
        for (number, line) in code where line.contains("import") {
            for statement in line.split(separator: ";") {
                var words = statement.split(whereSeparator: \.isWhitespace)[...]
                let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
                while let first = words.first, first.hasPrefix("@") || modifiers.contains(first) { words.removeFirst() }
                guard words.popFirst() == "import" else { continue }
                let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "let", "var", "typealias"]
                if let kind = words.first, kinds.contains(kind) { words.removeFirst() }
                guard let module = words.first?.split(separator: ".").first else { continue }
                found.append(Import(line: number, text: String(statement), module: String(module)))
            }
        }
        return found
    }

    /// Removes `//`, `/* */` and the contents of string literals, line by line. Good enough for the bans: the
    /// tests of the scanner show what it must tell apart.
    private static func stripped(_ lines: [Substring]) -> [(number: Int, text: String)] {
        var code: [(number: Int, text: String)] = []
        var commentDepth = 0
        var isInLongString = false
        for (index, line) in lines.enumerated() {
            var out = ""
            var rest = line
            var isInString = false
            while let character = rest.first {
                if commentDepth > 0 {
                    if rest.hasPrefix("*/") {
                        commentDepth -= 1
                        rest = rest.dropFirst(2)
                    } else if rest.hasPrefix("/*") {
                        commentDepth += 1
                        rest = rest.dropFirst(2)
                    } else {
                        rest = rest.dropFirst()
                    }
                } else if isInLongString {
                    if rest.hasPrefix("\"\"\"") {
                        isInLongString = false
                        out += "\""
                        rest = rest.dropFirst(3)
                    } else {
                        rest = rest.dropFirst()
                    }
                } else if isInString {
                    if character == "\\" {
                        rest = rest.dropFirst(2)
                    } else {
                        if character == "\"" {
                            isInString = false
                            out += "\""
                        }
                        rest = rest.dropFirst()
                    }
                } else if rest.hasPrefix("//") {
                    break
                } else if rest.hasPrefix("/*") {
                    commentDepth += 1
                    rest = rest.dropFirst(2)
                } else if rest.hasPrefix("\"\"\"") {
                    isInLongString = true
                    out += "\""
                    rest = rest.dropFirst(3)
                } else {
                    if character == "\"" { isInString = true }
                    out.append(character)
                    rest = rest.dropFirst()
                }
            }
            code.append((index + 1, out))
        }
        return code
    }
}
