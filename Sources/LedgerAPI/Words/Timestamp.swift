/// RFC 3339 times as microseconds since 1970-01-01 UTC, without locale, calendar or allocation of either.
public enum Timestamp {
    /// `2026-11-20T23:47:26.123456Z`; the fraction always has six digits. Years 0000 to 9999 only, else clamped.
    public static func text(microseconds: Int64) -> String {
        let bounded = min(max(microseconds, earliest), latest)
        var (seconds, micro) = bounded.quotientAndRemainder(dividingBy: 1_000_000)
        if micro < 0 {
            micro += 1_000_000
            seconds -= 1
        }
        var (day, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        if second < 0 {
            second += 86_400
            day -= 1
        }
        let (year, month, dayOfMonth) = civil(day)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        func padded(_ value: Int64, _ count: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, count - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(two(month))-\(two(dayOfMonth))T\(two(second / 3600)):\(two(second / 60 % 60)):"
            + "\(two(second % 60)).\(padded(micro, 6))Z"
    }

    /// Reads RFC 3339: `T` or a space, any fraction (cut after six digits), `Z` or an offset. Returns `nil` for
    /// anything else, also for days that do not exist.
    public static func microseconds(_ text: some StringProtocol) -> Int64? {
        let c = Array(text.utf8)
        func number(_ from: Int, _ count: Int) -> Int64? {
            guard from + count <= c.count else { return nil }
            var value: Int64 = 0
            for digit in c[from..<from + count] {
                guard digit >= 0x30, digit <= 0x39 else { return nil }
                value = value * 10 + Int64(digit - 0x30)
            }
            return value
        }
        guard c.count >= 20, c[4] == 0x2D, c[7] == 0x2D, c[10] | 0x20 == 0x74 || c[10] == 0x20, c[13] == 0x3A,
            c[16] == 0x3A, let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
            let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
            hour < 24, minute < 60, second <= 60, month >= 1, month <= 12, day >= 1
        else { return nil }
        let days = daysFromCivil(year, month, day)
        guard civil(days) == (year, month, day) else { return nil }
        var i = 19
        var micro: Int64 = 0
        if i < c.count, c[i] == UInt8(ascii: ".") {
            i += 1
            let from = i
            while i < c.count, c[i] >= 0x30, c[i] <= 0x39 {
                if i - from < 6 { micro = micro * 10 + Int64(c[i] - 0x30) }
                i += 1
            }
            guard i > from else { return nil }
            for _ in min(i - from, 6)..<6 { micro *= 10 }
        }
        guard i < c.count else { return nil }
        var offset: Int64 = 0
        if c[i] | 0x20 == UInt8(ascii: "z") {
            i += 1
        } else {
            guard c[i] == UInt8(ascii: "+") || c[i] == UInt8(ascii: "-"), let h = number(i + 1, 2), i + 3 < c.count,
                c[i + 3] == UInt8(ascii: ":"), let m = number(i + 4, 2), h < 24, m < 60
            else { return nil }
            offset = (h * 60 + m) * 60 * (c[i] == UInt8(ascii: "-") ? -1 : 1)
            i += 6
        }
        guard i == c.count else { return nil }
        return (days * 86_400 + hour * 3600 + minute * 60 + second - offset) * 1_000_000 + micro
    }

    private static let earliest: Int64 = -62_167_219_200_000_000
    private static let latest: Int64 = 253_402_300_799_999_999

    // The civil calendar from days since 1970-01-01, by eras of 400 years.
    private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let doe = z - era * 146_097
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
        let mp = (5 * doy + 2) / 153
        let month = mp < 10 ? mp + 3 : mp - 9
        return (yoe + era * 400 + (month <= 2 ? 1 : 0), month, doy - (153 * mp + 2) / 5 + 1)
    }

    private static func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yoe = y - era * 400
        let doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
    }
}
