/// Rows for people: aligned columns under a header. Widths come from the first rows, so that long results stream.
struct TextTable {
    private let header: [String]
    private let isNumeric: [Bool]
    private var widths: [Int]?
    private var held: [[String]] = []
    private let write: (String) -> Void

    /// Rows that widths are taken from.
    private static let sampleCount = 500
    private static let widthLimit = 60

    /// `numeric`: the columns that are aligned to the right.
    init(_ header: [String], numeric: Set<Int> = [], write: @escaping (String) -> Void = { Output.line($0) }) {
        self.header = header.map(Self.printable)
        self.isNumeric = header.indices.map { numeric.contains($0) }
        self.write = write
    }

    mutating func append(_ row: [String]) {
        let row = row.map(Self.printable)
        guard widths == nil else { return show(row) }
        held.append(row)
        if held.count == Self.sampleCount { flush() }
    }

    mutating func finish() {
        if widths == nil { flush() }
    }

    private mutating func flush() {
        var widths = header.map(\.count)
        for row in held {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], min(cell.count, Self.widthLimit))
            }
        }
        self.widths = widths
        write(Style.quiet(line(header)))
        for row in held { show(row) }
        held = []
    }

    private func show(_ row: [String]) { write(line(row)) }

    private func line(_ row: [String]) -> String {
        guard let widths else { return row.joined(separator: "  ") }
        var text = ""
        for (index, cell) in row.enumerated() {
            let width = index < widths.count ? widths[index] : 0
            let padding = String(repeating: " ", count: max(0, width - cell.count))
            if index > 0 { text += "  " }
            if index < isNumeric.count, isNumeric[index] {
                text += padding + cell
            } else {
                text += index == row.count - 1 ? cell : cell + padding
            }
        }
        return text
    }

    /// Control characters as escapes, so that stored text cannot drive the terminal or break lines.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) }) else { return text }
        var clean = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": clean += "\\n"
            case "\t": clean += "\\t"
            case "\r": clean += "\\r"
            case _ where isControl(scalar): clean += "\\u{\(String(scalar.value, radix: 16))}"
            default: clean.unicodeScalars.append(scalar)
            }
        }
        return clean
    }

    /// C0, DEL, C1 and the marks that reorder text.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
