import Foundation
import LedgerProofs

/// The seqnos of all signature transactions, ascending, eight bytes each, little-endian. Finds the signature that
/// covers a transaction by binary search.
final class SignatureIndex: Sendable {
    private static let residentByteCountLimit = 4 << 20

    private let file: AppendOnlyFile

    init(path: String) throws {
        file = try AppendOnlyFile(path: path, residentByteCountLimit: Self.residentByteCountLimit)
    }

    var count: UInt64 { file.byteCount / 8 }

    func append(_ seqno: SequenceNumber) {
        withUnsafeBytes(of: seqno.rawValue.littleEndian) { file.append($0) }
    }

    func flush() throws { try file.flush() }
    func sync() throws { try file.sync() }

    /// Drops everything after `seqno`.
    func truncate(after seqno: SequenceNumber) throws {
        try file.truncate(to: try position(ofFirstAtLeast: seqno.next) * 8)
    }

    /// The first signature at or after `seqno`; `nil` when none covers it yet.
    func first(atLeast seqno: SequenceNumber) throws -> SequenceNumber? {
        try value(at: try position(ofFirstAtLeast: seqno))
    }

    private func position(ofFirstAtLeast seqno: SequenceNumber) throws -> UInt64 {
        var low: UInt64 = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            guard let value = try value(at: middle) else { return middle }
            if value < seqno { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func value(at index: UInt64) throws -> SequenceNumber? {
        guard let bytes = try file.read(at: index * 8, count: 8) else { return nil }
        return SequenceNumber(
            bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) })
    }
}
