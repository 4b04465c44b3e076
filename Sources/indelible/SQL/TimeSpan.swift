import ArgumentParser

/// A length of time on the command line: `90`, `90s`, `15m`, `24h`, `7d`.
struct TimeSpan: ExpressibleByArgument {
    var seconds: Double

    init(seconds: Double) { self.seconds = seconds }

    /// A number as people write it: other forms that a program knows (`0x10`, `1e3`) are rather a slip.
    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: ".") }),
            let number = Double(digits), number.isFinite
        else { return nil }
        seconds = number * (unit ?? 1)
    }

    var defaultValueDescription: String { "\(Int(seconds))s" }
}
