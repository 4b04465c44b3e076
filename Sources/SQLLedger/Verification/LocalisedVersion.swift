import LedgerProofs

/// A stored version that takes part in something wrong.
struct LocalisedVersion {
    var version: RowVersion
    var partition: EvidencePartition.Kind
    /// The checks of its columns as they are.
    var checks: [UInt16]

    init(_ version: RowVersion, _ partition: EvidencePartition.Kind) {
        self.version = version
        self.partition = partition
        checks = Self.checks(of: version.values)
    }

    static func checks(of values: [SQLValue]) -> [UInt16] {
        var encoder = RowLeafEncoder(collectsChecks: true)
        encoder.begin(
            operation: .created, table: TableID(0), schema: .zero, transaction: TransactionNumber(0),
            sequence: LeafNumber(0), columnCount: values.count)
        for value in values { encoder.append(value) }
        return encoder.columnChecks
    }
}
