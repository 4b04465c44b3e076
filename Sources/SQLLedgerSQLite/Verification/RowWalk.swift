import CSQLiteLedger
import SQLLedger

/// Goes through a part of a table in the order of its row ids.
///
/// Parts are found by a search and end at the first row id behind them, so in a table whose rows are out of order, rows could lie
/// between what the parts read; and pages that lead back to themselves would never end. Therefore row ids must ascend, and where a
/// part ends the next one must begin.
struct RowWalk {
    let statement: SQLiteStatement
    private let object: String
    private let column: Int32
    private let part: ClosedRange<Int64>?
    private let end: Int64
    private let shared: SharedEvidence
    private var last = Int64.min
    private var isFirst = true

    /// - Parameters:
    ///   - statement: gives the rows from the first one of `part` on (all of them without), ascending.
    ///   - column: where it has the row id.
    init(
        _ statement: SQLiteStatement, of object: String, column: Int32, part: ClosedRange<Int64>?,
        _ shared: SharedEvidence
    ) {
        self.statement = statement
        self.object = object
        self.column = column
        self.part = part
        end = part?.upperBound ?? .max
        self.shared = shared
    }

    /// The row id of the next row, on which the statement then stands; `nil` behind the part.
    /// - Throws: `VerificationError` for rows that are out of order.
    @inline(__always)
    mutating func next() throws -> Int64? {
        guard try statement.step() else {
            try end(at: nil)
            return nil
        }
        let row = ils_column_int64(statement.handle, column)
        if isFirst {
            try begin(at: row)
        } else if row <= last {
            throw damaged
        }
        last = row
        if row > end {
            try end(at: row)
            return nil
        }
        return row
    }

    @inline(never)
    private mutating func begin(at row: Int64?) throws {
        isFirst = false
        guard let part, part.lowerBound != .min else { return }
        try meet(part.lowerBound, row)
    }

    @inline(never)
    private mutating func end(at row: Int64?) throws {
        if isFirst { try begin(at: row) }
        guard let part, part.upperBound != .max else { return }
        try meet(part.upperBound + 1, row)
    }

    /// The part before `border` and the one behind it both say which row comes next.
    private func meet(_ border: Int64, _ row: Int64?) throws {
        guard shared.agree(SharedEvidence.Border(object: object, row: border), row) else { throw damaged }
    }

    private var damaged: VerificationError { Self.disorder(in: object) }

    static func disorder(in object: String) -> VerificationError {
        VerificationError(
            object: object,
            reason: "its rows are not in the order of their row ids: the file is damaged or was altered")
    }
}
