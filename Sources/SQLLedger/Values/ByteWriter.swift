import LedgerProofs

/// Puts together the fixed-layout preimages of the SQL ledger. Integers are big-endian.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ digest: Digest32) {
        digest.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    mutating func append(bytes more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
    }

    /// The characters of a format's name, then zeros up to `width` bytes.
    mutating func append(tag: StaticString, width: Int) {
        let count = tag.utf8CodeUnitCount
        precondition(count < width, "a format's name ends with a zero byte")
        tag.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: repeatElement(0, count: width - count))
    }

    /// A byte count of 4 bytes, then the bytes. Traps for 4 GiB and more.
    mutating func append(text: String) {
        append(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }
}
