/// `-h`, exactly. The argument parser reads a word such as `-backup-hourly` as many options of one letter and finds `-h`
/// among them; help then ended with the exit code of success, although nothing of what was named had been read. So the
/// parser knows `--help` only, and the short form is written out for it.
enum HelpOption {
    /// Options whose value may begin with a dash.
    private static let takingAnything: Set<String> = ["--key", "--row", "--parameter", "-p"]

    static func spelledOut(_ words: [String]) -> [String] {
        var words = words
        for place in words.prefix(while: { $0 != "--" }).indices where words[place] == "-h" {
            if place > 0, takingAnything.contains(words[place - 1]) { continue }
            words[place] = "--help"
        }
        return words
    }

    /// The list of options in a help text, in which the parser shows the long form only.
    static func listed(_ text: String) -> String {
        text.replacing("\n  --help      ", with: "\n  -h, --help  ")
    }

    /// The first word that looks like options of one letter, but may have been meant as a name.
    static func dashedName(_ words: ArraySlice<String>) -> String? {
        words.prefix { $0 != "--" }.first { $0.utf8.count > 1 && $0.hasPrefix("-") && !$0.hasPrefix("--") }
    }
}
