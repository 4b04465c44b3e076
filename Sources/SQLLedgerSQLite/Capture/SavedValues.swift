import CSQLiteLedger

/// Copies of SQLite values that outlive the call they came from.
final class SavedValues {
    private(set) var values: [OpaquePointer?] = []

    init() {}

    init(copying values: UnsafePointer<OpaquePointer?>, count: Int) {
        self.values.reserveCapacity(count)
        for index in 0..<count { append(copying: values[index]) }
    }

    deinit {
        for value in values { ils_value_free(value) }
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
