/// The `accept` header (RFC 9110, 12.5.1), as far as it is needed: may a form be sent at all?
enum AcceptRule {
    /// Whether one of the media types is acceptable. The most specific range that fits decides; `q=0` refuses.
    static func allows(_ accept: String, anyOf forms: [String]) -> Bool {
        let ranges = accept.split(separator: ",").map { range in
            let parts = range.split(separator: ";").map { $0.trimming { $0 == " " || $0 == "\t" }.lowercased() }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 1 }
            return (type: parts.first ?? "", isRefused: quality == 0)
        }
        // An empty header says nothing.
        guard ranges.contains(where: { !$0.type.isEmpty }) else { return true }
        return forms.contains { form in
            let family = form.prefix { $0 != "/" } + "/*"
            for name in [form, String(family), "*/*"] {
                let fitting = ranges.filter { $0.type == name }
                if !fitting.isEmpty { return fitting.contains { !$0.isRefused } }
            }
            return false
        }
    }
}
