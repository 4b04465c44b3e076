import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The lines of a file or of standard input, one at a time, without holding the rest. LF and CRLF end a line and
/// are not part of it.
struct LineReader {
    private let handle: FileHandle
    private let name: String
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    private(set) var lineNumber = 0

    /// `path` `nil`: standard input.
    init(path: String?) throws {
        guard let path else {
            handle = .standardInput
            name = "standard input"
            return
        }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw Failure("\(path): \(String(cString: strerror(errno)))")
        }
        self.handle = handle
        self.name = path
    }

    /// How many lines of a file are not empty; `nil` for standard input, pipes and what cannot be read.
    static func count(_ path: String?) -> Int? {
        guard let path,
            (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType == .typeRegular,
            var reader = try? LineReader(path: path)
        else { return nil }
        var count = 0
        do {
            while let line = try reader.next() { count += line.isEmpty ? 0 : 1 }
        } catch {
            return nil
        }
        return count
    }

    /// Errors: a line that is not UTF-8, or longer than 64 MiB.
    mutating func next() throws -> String? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return try line(buffer[start..<end], isEnded: true)
            }
            if isAtEnd {
                defer { start = buffer.count }
                return start < buffer.count ? try line(buffer[start...], isEnded: false) : nil
            }
            buffer.removeSubrange(..<start)
            start = 0
            searched = buffer.count
            guard buffer.count < 64 << 20 else {
                throw Failure("\(name): line \(lineNumber + 1) is longer than 64 MiB")
            }
            isAtEnd = try !readMore()
        }
    }

    /// One `read(2)`: what a pipe has is taken at once, without waiting for more. `false` at the end.
    private mutating func readMore() throws -> Bool {
        while true {
            let more = withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { room -> [UInt8]? in
                let count = read(handle.fileDescriptor, room.baseAddress, room.count)
                return count < 0 ? nil : Array(room.prefix(count))
            }
            if let more {
                buffer += more
                return !more.isEmpty
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Whoever gave us the pipe has set it not to wait.
                var wait = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
                _ = poll(&wait, 1, -1)
            default: throw Failure("\(name): cannot be read (\(String(cString: strerror(errno))))")
            }
        }
    }

    /// - Parameter isEnded: by a LF, of which a CR before it is a part.
    private mutating func line(_ bytes: ArraySlice<UInt8>, isEnded: Bool) throws -> String {
        lineNumber += 1
        let bytes = isEnded && bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure("\(name): line \(lineNumber) is not UTF-8 text")
        }
        return text
    }
}
