import LedgerProofs

/// The name of a chunk file (CCF ledger format 1.1).
public struct ChunkName: Hashable, Sendable {
    /// What follows the range in the name.
    public enum State: String, Hashable, Sendable {
        /// Nothing, or `.committed`.
        case normal = ""
        /// `.recovery`: written during a disaster recovery that has not finished. Not part of the ledger.
        case recovery = ".recovery"
        /// `.ignored`: left over from an abandoned recovery. Never part of the ledger.
        case ignored = ".ignored"
    }

    /// A chunk is smaller than 4 GiB, and an entry has more than one byte.
    static let maximumEntryCount: UInt64 = 1 << 32

    public var first: SequenceNumber
    /// `nil` for the open chunk.
    public var last: SequenceNumber?
    public var isCommitted: Bool
    public var state: State

    /// Requires `first >= 1`, `last >= first`, and a last seqno for committed chunks.
    public init(
        first: SequenceNumber, last: SequenceNumber? = nil, isCommitted: Bool = false, state: State = .normal
    ) {
        self.first = first
        self.last = last
        self.isCommitted = isCommitted
        self.state = state
    }

    /// Reads a file name without directories. `nil` for anything that is not exactly a chunk name: other words,
    /// leading zeros, numbers of 2^63 and more, `ledger_5-4`, `ledger_5.committed`, unknown suffixes,
    /// more entries than a file can hold.
    public init?(fileName: String) {
        var rest = Substring(fileName)
        guard Self.removePrefix("ledger_", of: &rest) else { return nil }
        var state = State.normal
        if Self.removeSuffix(".ignored", of: &rest) {
            state = .ignored
        } else if Self.removeSuffix(".recovery", of: &rest) {
            state = .recovery
        }
        let isCommitted = Self.removeSuffix(".committed", of: &rest)
        let parts = rest.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 1 || parts.count == 2, let first = Self.decimal(parts[0]) else { return nil }
        self.init(first: SequenceNumber(first), isCommitted: isCommitted, state: state)
        if parts.count == 2 {
            guard let last = Self.decimal(parts[1]), last >= first, last - first < Self.maximumEntryCount else {
                return nil
            }
            self.last = SequenceNumber(last)
        } else if isCommitted {
            return nil
        }
    }

    /// The name on disk.
    public var fileName: String {
        let range = last.map { "\(first)-\($0)" } ?? "\(first)"
        return "ledger_\(range)\(isCommitted ? ".committed" : "")\(state.rawValue)"
    }

    /// The number of entries the name promises, or `nil` for the open chunk.
    public var entryCount: UInt64? { last.map { $0.rawValue - first.rawValue + 1 } }

    static func removePrefix(_ prefix: String, of text: inout Substring) -> Bool {
        guard text.utf8.starts(with: prefix.utf8) else { return false }
        text = text.dropFirst(prefix.count)
        return true
    }

    static func removeSuffix(_ suffix: String, of text: inout Substring) -> Bool {
        guard text.hasSuffix(suffix) else { return false }
        text = text.dropLast(suffix.count)
        return true
    }

    /// A positive number below 2^63 without leading zeros, as CCF writes it. So no sum with a count of entries overflows.
    static func decimal(_ digits: some Collection<UInt8>) -> UInt64? {
        guard let lead = digits.first, lead != UInt8(ascii: "0"), digits.count <= 20 else { return nil }
        var value: UInt64 = 0
        for c in digits {
            guard c >= UInt8(ascii: "0"), c <= UInt8(ascii: "9") else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(c - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value <= UInt64(Int64.max) ? value : nil
    }
}

extension ChunkName: Comparable {
    /// By first seqno; then closed before open, and committed before the rest.
    public static func < (a: ChunkName, b: ChunkName) -> Bool {
        if a.first != b.first { return a.first < b.first }
        let lastA = a.last?.rawValue ?? .max
        let lastB = b.last?.rawValue ?? .max
        if lastA != lastB { return lastA < lastB }
        if a.isCommitted != b.isCommitted { return a.isCommitted }
        return a.state.rawValue < b.state.rawValue
    }
}

extension ChunkName: CustomStringConvertible {
    public var description: String { fileName }
}
