/// The `accept` header (RFC 9110, 12.5.1), as far as it is needed: may a form be sent, and is it the one that is wanted?
enum AcceptRule {
    private struct Range {
        var type: String
        var quality: Double
    }

    private static func ranges(_ accept: String) -> [Range] {
        accept.split(separator: ",").map { range in
            let parts = range.split(separator: ";").map { $0.trimming { $0 == " " || $0 == "\t" }.lowercased() }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 1 }
            return Range(type: parts.first ?? "", quality: quality ?? 1)
        }
    }

    /// The most specific range that fits decides; zero refuses.
    private static func quality(of form: String, _ ranges: [Range]) -> Double {
        let family = form.prefix { $0 != "/" } + "/*"
        for name in [form, String(family), "*/*"] {
            if let best = ranges.filter({ $0.type == name }).map(\.quality).max() { return best }
        }
        return 0
    }

    /// Whether one of the media types is acceptable.
    static func allows(_ accept: String, anyOf forms: [String]) -> Bool {
        let ranges = ranges(accept)
        // An empty header says nothing.
        guard ranges.contains(where: { !$0.type.isEmpty }) else { return true }
        return forms.contains { quality(of: $0, ranges) > 0 }
    }

    /// Whether `form` is named and wanted at least as much as `usual`, which is sent otherwise.
    static func prefers(_ accept: String?, _ form: String, to usual: String) -> Bool {
        guard let accept, accept != usual else { return false }
        let ranges = ranges(accept)
        let wanted = quality(of: form, ranges)
        return ranges.contains { $0.type == form } && wanted > 0 && wanted >= quality(of: usual, ranges)
    }
}
