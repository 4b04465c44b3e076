import LedgerProofs

/// Reads the fixed-layout values of the SQL ledger. Integers are big-endian.
struct ByteReader {
    private let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func integer<T: FixedWidthInteger>(_ what: StaticString) throws(ProofError) -> T {
        guard bytes.count - offset >= MemoryLayout<T>.size else { throw .truncated("\(what) ends early") }
        defer { offset += MemoryLayout<T>.size }
        return bytes.withUnsafeBytes { T(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }

    mutating func digest(_ what: StaticString) throws(ProofError) -> Digest32 {
        guard bytes.count - offset >= Digest32.byteCount,
            let digest = Digest32(bytes[offset..<offset + Digest32.byteCount])
        else { throw .truncated("\(what) ends early") }
        offset += Digest32.byteCount
        return digest
    }

    func requireEnd(_ what: StaticString) throws(ProofError) {
        guard isAtEnd else { throw .trailingBytes("bytes after \(what)") }
    }
}
