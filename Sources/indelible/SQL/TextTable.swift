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
        self.header = header.map(PlainText.of)
        self.isNumeric = header.indices.map { numeric.contains($0) }
        self.write = write
    }

    mutating func append(_ row: [String]) {
        let row = row.map(PlainText.of)
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
}
