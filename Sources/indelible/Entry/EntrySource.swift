import Foundation

/// Where entries to append come from. Only one entry of a long input is in memory at a time.
enum EntrySource {
    case values([String])
    /// `count`: how many there are, if it is known.
    case lines(LineReader, count: Int?)

    /// The next entry; `nil` at the end.
    mutating func next() throws -> String? {
        switch self {
        case .values(var values):
            guard !values.isEmpty else { return nil }
            let first = values.removeFirst()
            self = .values(values)
            return first
        case .lines(var reader, let count):
            defer { self = .lines(reader, count: count) }
            while let line = try reader.next() {
                if !line.isEmpty { return line }
            }
            return nil
        }
    }

    /// `nil` when it is not known before the end.
    var count: Int? {
        switch self {
        case .values(let values): values.count
        case .lines(_, let count): count
        }
    }

    /// A whole file as one entry; `nil`: standard input.
    static func whole(_ path: String?) throws -> String {
        if let path { return try InputFile.text(path) }
        let data = try InputFile.read(.standardInput, "standard input")
        guard !data.isEmpty else { throw Failure("standard input is empty: nothing to append") }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Failure("standard input is not UTF-8 text")
        }
        return text
    }
}
