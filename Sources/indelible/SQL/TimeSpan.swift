import ArgumentParser

/// A length of time on the command line: `90`, `90s`, `15m`, `24h`, `7d`.
struct TimeSpan: ExpressibleByArgument {
    var seconds: Double

    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? argument : String(argument.dropLast())), number.isFinite, number >= 0
        else { return nil }
        seconds = number * (unit ?? 1)
    }
}
