import CSQLiteLedger
import SQLLedger

/// Copies of SQLite values that outlive the call they came from.
final class SavedValues {
    private(set) var values: [OpaquePointer?] = []
    /// Places of columns that the record lacks because it is older than they are.
    private(set) var missing: [Int] = []

    init() {}

    init(copying values: UnsafePointer<OpaquePointer?>, count: Int) {
        self.values.reserveCapacity(count)
        for index in 0..<count { append(copying: values[index]) }
    }

    deinit {
        for value in values { ils_value_free(value) }
    }

    func appendMissing() {
        missing.append(values.count)
        values.append(nil)
    }

    /// Whether there is text where `others` has numbers.
    func hasTexts(in others: UnsafePointer<OpaquePointer?>, count: Int) -> Bool {
        for place in 0..<min(count, values.count) {
            guard let value = values[place], ils_value_type(value) == SQLITE_TEXT, let other = others[place] else {
                continue
            }
            let type = ils_value_type(other)
            if type == SQLITE_INTEGER || type == SQLITE_FLOAT { return true }
        }
        return false
    }

    /// Whether the value at `place` is `other`, byte by byte.
    func isSame(at place: Int, as other: OpaquePointer?) -> Bool {
        SQLValue(copying: values[place]) == SQLValue(copying: other)
    }

    /// With the values that such columns have.
    func completed(with defaults: SavedValues) -> SavedValues {
        let all = SavedValues()
        for place in values.indices {
            let isMissing = missing.contains(place) && place < defaults.values.count
            all.append(copying: isMissing ? defaults.values[place] : values[place])
        }
        return all
    }

    func append(real: Double) {
        values.append(ils_value_number(1, real, 0))
    }

    func append(integer: Int64) {
        values.append(ils_value_number(0, 0, integer))
    }

    func append(copying value: OpaquePointer?) {
        values.append(value.flatMap { ils_value_dup($0) })
    }
}
