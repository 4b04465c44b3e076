import LedgerProofs

/// Values that an altered column may have had, as far as they agree with the column's stored check.
struct ValueCandidates {
    /// What was found in the row, in column order.
    let found: [SQLValue]
    /// The stored check of each column.
    let checks: [UInt16]
    /// Values of the same column elsewhere: other versions of the key first.
    let elsewhere: [[SQLValue]]
    /// How far whole numbers are tried around the found one and around 0.
    var reach: Int64 = 1_000_000

    private static let limit = 512

    func values(of column: Int) -> [SQLValue] {
        var list: [SQLValue] = []
        var seen: Set<SQLValue> = []
        func add(_ value: SQLValue) {
            guard list.count < Self.limit, Self.check(of: value) == checks[column], seen.insert(value).inserted else {
                return
            }
            list.append(value)
        }
        for value in elsewhere[column] { add(value) }
        for value in found { add(value) }
        for value in Self.flips(of: found[column]) { add(value) }
        for other in found.indices where other != column {
            for value in Self.splits(found[column], found[other]) { add(value) }
        }
        addNumbers(near: found[column], column, add)
        return list
    }

    /// Other storage classes and empty values in the place of `value`.
    private static func flips(of value: SQLValue) -> [SQLValue] {
        var flips: [SQLValue] = [.null, .text([]), .blob([]), .integer(0), .integer(1), .real(0)]
        switch value {
        case .null: break
        case .integer(let number):
            flips += [.text(String(number)), .real(Double(number)), .text("\(Double(number))"), .integer(0 &- number)]
        case .real(let number):
            flips += [.text("\(number)"), .real(-number)]
            if let whole = Int64(exactly: number) { flips += [.integer(whole), .text(String(whole))] }
        case .text(let bytes):
            flips.append(.blob(bytes))
            let text = String(decoding: bytes, as: UTF8.self)
            if let number = Int64(text) { flips += [.integer(number), .real(Double(number))] }
            if let number = Double(text) { flips.append(.real(number)) }
            flips += [.text(text.lowercased()), .text(text.uppercased())]
            flips += [.text(bytes + [0x20]), .text(Array(bytes.dropLast())), .text(Array(bytes.dropFirst()))]
        case .blob(let bytes): flips.append(.text(bytes))
        }
        return flips
    }

    /// Both texts joined and cut elsewhere: the first and second parts.
    private static func splits(_ a: SQLValue, _ b: SQLValue) -> [SQLValue] {
        guard case .text(let a) = a, case .text(let b) = b, a.count + b.count <= 256 else { return [] }
        var splits: [SQLValue] = []
        for joined in [a + b, b + a] {
            for cut in 0...joined.count {
                splits.append(.text(Array(joined[..<cut])))
                splits.append(.text(Array(joined[cut...])))
            }
        }
        return splits
    }

    private func addNumbers(near value: SQLValue, _ column: Int, _ add: (SQLValue) -> Void) {
        switch value {
        case .integer(let number):
            for distance in 0...reach {
                for candidate in [number &+ distance, number &- distance, distance, 0 &- distance] {
                    if Self.check(ofInteger: candidate) == checks[column] { add(.integer(candidate)) }
                }
            }
        case .real(let number) where number.magnitude < 1e12:
            // Amounts have two decimals.
            let cents = (number * 100).rounded()
            for distance in 0...reach {
                for candidate in [cents + Double(distance), cents - Double(distance), Double(distance)] {
                    if Self.check(ofReal: candidate / 100) == checks[column] { add(.real(candidate / 100)) }
                }
            }
        default: break
        }
    }

    static func check(of value: SQLValue) -> UInt16 {
        switch value {
        case .integer(let number): check(ofInteger: number)
        case .real(let number): check(ofReal: number)
        default: LocalisedVersion.checks(of: [value]).first ?? 0
        }
    }

    private static func check(ofInteger value: Int64) -> UInt16 { check(1, UInt64(bitPattern: value)) }

    private static func check(ofReal value: Double) -> UInt16 { check(2, value == 0 ? 0 : value.bitPattern) }

    /// Of a type byte and eight bytes.
    @inline(__always)
    private static func check(_ type: UInt64, _ bits: UInt64) -> UInt16 {
        var check = ColumnCheck(byteCount: 9)
        check.mix(type | bits.byteSwapped << 8)
        check.mix(bits & 0xFF)
        return check.value
    }

    /// Whole rows that may have been there: for each combination of candidates in `columns`, `test` is called until it
    /// returns `true`. Returns that row.
    func rows(altering columns: [Int], test: ([SQLValue]) -> Bool) -> [SQLValue]? {
        guard !columns.isEmpty else { return nil }
        let lists = columns.map { values(of: $0) }
        guard lists.allSatisfy({ !$0.isEmpty }) else { return nil }
        var total = 1
        for list in lists {
            total *= list.count
            if total > 200_000 { return nil }
        }
        var row = found
        for number in 0..<total {
            var rest = number
            for (index, column) in columns.enumerated() {
                row[column] = lists[index][rest % lists[index].count]
                rest /= lists[index].count
            }
            if test(row) { return row }
        }
        return nil
    }
}
