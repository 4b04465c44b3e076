#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A point in time of a ledger, in UTC with microseconds. Its only text form has 27 ASCII characters,
/// `YYYY-MM-DDThh:mm:ss.ffffffZ`, years 0000 to 9999, no leap seconds.
public struct CommitTime: Comparable, Hashable, Sendable, CustomStringConvertible {
    /// The number of characters of every text form.
    public static let textLength = 27

    /// Microseconds since 1970-01-01T00:00:00Z, negative before.
    public let microseconds: Int64

    private static let earliest: Int64 = -62_167_219_200_000_000
    private static let latest: Int64 = 253_402_300_799_999_999

    /// Returns `nil` outside of the years 0000 to 9999.
    public init?(microseconds: Int64) {
        guard (Self.earliest...Self.latest).contains(microseconds) else { return nil }
        self.microseconds = microseconds
    }

    private init(clamping microseconds: Int64) {
        self.microseconds = min(max(microseconds, Self.earliest), Self.latest)
    }

    /// Reads the text form. Returns `nil` for anything else, dates that no calendar has included.
    public init?(_ text: some StringProtocol) {
        self.init(utf8: text.utf8)
    }

    /// Reads the text form from its bytes. Returns `nil` for anything else.
    public init?(utf8: some Sequence<UInt8>) {
        let c = Array(utf8)
        guard c.count == Self.textLength,
            c[4] == UInt8(ascii: "-"), c[7] == UInt8(ascii: "-"), c[10] == UInt8(ascii: "T"),
            c[13] == UInt8(ascii: ":"), c[16] == UInt8(ascii: ":"), c[19] == UInt8(ascii: "."),
            c[26] == UInt8(ascii: "Z"),
            let year = Self.number(c[0..<4]), let month = Self.number(c[5..<7]), let day = Self.number(c[8..<10]),
            let hour = Self.number(c[11..<13]), let minute = Self.number(c[14..<16]),
            let second = Self.number(c[17..<19]), let micro = Self.number(c[20..<26]),
            (1...12).contains(month), (1...Self.dayCount(year: year, month: month)).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let seconds = Self.days(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
        microseconds = seconds * 1_000_000 + micro
    }

    /// The system's clock.
    public static func now() -> CommitTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return CommitTime(clamping: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    /// The system's clock, or `previous` when the clock is behind it: times of a ledger never decrease.
    public static func now(notBefore previous: CommitTime?) -> CommitTime {
        let now = now()
        return previous.map { max($0, now) } ?? now
    }

    public static func < (a: CommitTime, b: CommitTime) -> Bool { a.microseconds < b.microseconds }

    /// The text form.
    public var description: String { String(decoding: utf8, as: UTF8.self) }

    /// The 27 bytes of the text form.
    public var utf8: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.textLength) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            write(to: base)
            count = Self.textLength
        }
    }

    /// Writes the 27 bytes of the text form.
    func write(to text: UnsafeMutablePointer<UInt8>) {
        let (seconds, micro) = Self.floorDivide(microseconds, 1_000_000)
        let (dayNumber, secondOfDay) = Self.floorDivide(seconds, 86_400)
        let (year, month, day) = Self.date(dayNumber)
        Self.write(year / 100, to: text)
        Self.write(year % 100, to: text + 2)
        text[4] = UInt8(ascii: "-")
        Self.write(month, to: text + 5)
        text[7] = UInt8(ascii: "-")
        Self.write(day, to: text + 8)
        text[10] = UInt8(ascii: "T")
        Self.write(secondOfDay / 3_600, to: text + 11)
        text[13] = UInt8(ascii: ":")
        Self.write(secondOfDay / 60 % 60, to: text + 14)
        text[16] = UInt8(ascii: ":")
        Self.write(secondOfDay % 60, to: text + 17)
        text[19] = UInt8(ascii: ".")
        Self.write(micro / 10_000, to: text + 20)
        Self.write(micro / 100 % 100, to: text + 22)
        Self.write(micro % 100, to: text + 24)
        text[26] = UInt8(ascii: "Z")
    }

    /// Two digits.
    private static func write(_ value: Int64, to text: UnsafeMutablePointer<UInt8>) {
        let value = UInt8(truncatingIfNeeded: value)
        text[0] = UInt8(ascii: "0") + value / 10
        text[1] = UInt8(ascii: "0") + value % 10
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for c in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(c) else { return nil }
            value = value * 10 + Int64(c - UInt8(ascii: "0"))
        }
        return value
    }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
        return remainder < 0 ? (quotient - 1, remainder + b) : (quotient, remainder)
    }

    private static func dayCount(year: Int64, month: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// The days of the Gregorian calendar since 1970-01-01. The year is counted from March, so that the leap day is
    /// its last one; 400 years have 146,097 days.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (era, yearOfEra) = floorDivide(month > 2 ? year : year - 1, 400)
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The inverse of `days`.
    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}
