import Foundation

/// Where entries to append come from. Only one entry of a long input is in memory at a time.
enum EntrySource {
    case values([String])
    case lines(LineReader)

    /// The next entry; `nil` at the end.
    mutating func next() throws -> String? {
        switch self {
        case .values(var values):
            guard !values.isEmpty else { return nil }
            let first = values.removeFirst()
            self = .values(values)
            return first
        case .lines(var reader):
            defer { self = .lines(reader) }
            while let line = try reader.next() {
                if !line.isEmpty { return line }
            }
            return nil
        }
    }

    /// `nil` when it is not known before the end.
    var count: Int? {
        if case .values(let values) = self { return values.count }
        return nil
    }

    /// A whole file as one entry; `nil`: standard input.
    static func whole(_ path: String?) throws -> String {
        if let path { return try InputFile.text(path) }
        guard let data = try FileHandle.standardInput.readToEnd(), !data.isEmpty else {
            throw Failure("standard input is empty: nothing to append")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Failure("standard input is not UTF-8 text")
        }
        return text
    }
}
