import Foundation

/// The words and variables that the program was started with, as bytes. Where they become text elsewhere, bytes that are
/// no UTF-8 turn into U+FFFD, which is another name than the one that was given.
enum ProgramInput {
    /// The arguments, without the program's name.
    static let words = arguments.map { String(decoding: $0, as: UTF8.self) }[...]

    private static let arguments = Array(all.dropFirst())

    /// The kernel is asked: the runtime looks for them beside the environment, and finds none when a library that was
    /// loaded before it has set a variable, which moves the environment.
    private static var all: [[UInt8]] {
        #if os(Linux)
            if let kept = FileManager.default.contents(atPath: "/proc/self/cmdline"), kept.last == 0 {
                return kept.dropLast().split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
            }
        #endif
        return (0..<Int(CommandLine.argc)).compactMap { place in
            CommandLine.unsafeArgv[place].map { word in
                UnsafeBufferPointer(start: word, count: strlen(word)).map { UInt8(bitPattern: $0) }
            }
        }
    }

    /// Errors: a `Failure` that names the first argument, or variable of the program's own, that is not UTF-8.
    static func check() throws {
        for (place, word) in arguments.enumerated() where String(validating: word, as: UTF8.self) == nil {
            throw Failure("argument \(place + 1) is not UTF-8 text: '\(escaped(word))'; nothing was read or written")
        }
        for name in ProcessInfo.processInfo.environment.keys.sorted() where name.hasPrefix("INDELIBLE_") {
            guard let value = getenv(name), String(validatingCString: value) == nil else { continue }
            let bytes = UnsafeBufferPointer(start: value, count: strlen(value)).map { UInt8(bitPattern: $0) }
            throw Failure("\(name): is not UTF-8 text: '\(escaped(bytes))'")
        }
    }

    /// Printable ASCII as it is, every other byte as `\xff`.
    private static func escaped(_ text: [UInt8]) -> String {
        text.map { byte in
            let digits = String(byte, radix: 16)
            return (0x20..<0x7F).contains(byte)
                ? String(UnicodeScalar(byte)) : "\\x\(digits.count == 1 ? "0" : "")\(digits)"
        }.joined()
    }
}
