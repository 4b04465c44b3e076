import Foundation

/// Standard output and standard error, written at once and whole.
enum Output {
    /// One line on standard output. The program ends quietly when nobody reads it any more, and with a message when it
    /// cannot be written for another reason: what was to be told is lost, not what was done.
    static func line(_ text: String) {
        bytes(Array((text + "\n").utf8))
    }

    /// Bytes as they are on standard output.
    static func bytes(_ bytes: [UInt8]) {
        if write(bytes, to: STDOUT_FILENO) { return }
        let reason = errno
        if reason != EPIPE { error("standard output: \(String(cString: strerror(reason)))") }
        exit(ExitStatus.unableToTell.rawValue)
    }

    /// The same for what a caller must not lose: throws where `bytes` ends the program.
    static func tell(_ bytes: [UInt8]) throws(Failure) {
        if write(bytes, to: STDOUT_FILENO) { return }
        throw Failure("standard output: \(String(cString: strerror(errno)))")
    }

    /// One value as one line of JSON, members sorted.
    static func json(_ value: some Encodable) { bytes(jsonLine(value)) }

    /// One value that is JSON already.
    static func json(text: String) { bytes(PlainText.of(json: Array(text.utf8)) + [UInt8(ascii: "\n")]) }

    static func jsonLine(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            error("the result cannot be written as JSON")
            exit(ExitStatus.unableToTell.rawValue)
        }
        return PlainText.of(json: Array(data)) + [UInt8(ascii: "\n")]
    }

    /// `error: …` on standard error.
    static func error(_ message: String) {
        diagnostic("error: \(message)")
    }

    /// One line on standard error.
    static func diagnostic(_ text: String) {
        _ = write(Array((text + "\n").utf8), to: STDERR_FILENO)
    }

    /// Text without a line end on standard error, for progress.
    static func progress(_ text: String) {
        _ = write(Array(text.utf8), to: STDERR_FILENO)
    }

    /// All of it; otherwise `false`, and `errno` tells why.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    guard errno == EAGAIN else { return false }
                    // Somebody else made it non-blocking.
                    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wanted, 1, -1)
                    continue
                }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }
}
