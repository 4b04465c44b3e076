import SQLLedger

/// What one finding must say; what is `nil` is not looked at.
struct ExpectedFinding {
    var code: Finding.Code
    var object: String?
    var key: [NamedValue]?
    var columns: [String]?
    var transaction: TransactionNumber?
    var sequence: LeafNumber?
    var block: BlockID?

    init(
        _ code: Finding.Code, object: String? = nil, key: [NamedValue]? = nil, columns: [String]? = nil,
        transaction: TransactionNumber? = nil, sequence: UInt64? = nil, block: BlockID? = nil
    ) {
        self.code = code
        self.object = object
        self.key = key
        self.columns = columns
        self.transaction = transaction
        self.sequence = sequence.map { LeafNumber($0) }
        self.block = block
    }

    func fits(_ finding: Finding) -> Bool {
        func fits<T: Equatable>(_ expected: T?, _ found: T?) -> Bool { expected == nil || expected == found }
        return fits(object, finding.object) && fits(key, finding.key) && fits(columns, finding.columns)
            && fits(transaction, finding.transaction) && fits(sequence, finding.sequence) && fits(block, finding.block)
    }
}
