import Foundation

/// The words and variables that the program was started with, as bytes. Where they become text elsewhere, bytes that are
/// no UTF-8 turn into U+FFFD, which is another name than the one that was given.
enum ProgramInput {
    /// Errors: a `Failure` that names the first argument, or variable of the program's own, that is not UTF-8.
    static func check() throws {
        for place in 1..<max(1, Int(CommandLine.argc)) {
            guard let word = CommandLine.unsafeArgv[place], String(validatingCString: word) == nil else { continue }
            throw Failure("argument \(place) is not UTF-8 text: '\(escaped(word))'; nothing was read or written")
        }
        for name in ProcessInfo.processInfo.environment.keys.sorted() where name.hasPrefix("INDELIBLE_") {
            guard let value = getenv(name), String(validatingCString: value) == nil else { continue }
            throw Failure("\(name): is not UTF-8 text: '\(escaped(value))'")
        }
    }

    /// Printable ASCII as it is, every other byte as `\xff`.
    private static func escaped(_ text: UnsafePointer<CChar>) -> String {
        UnsafeBufferPointer(start: text, count: strlen(text)).map { character in
            let byte = UInt8(bitPattern: character)
            let digits = String(byte, radix: 16)
            return (0x20..<0x7F).contains(byte)
                ? String(UnicodeScalar(byte)) : "\\x\(digits.count == 1 ? "0" : "")\(digits)"
        }.joined()
    }
}
