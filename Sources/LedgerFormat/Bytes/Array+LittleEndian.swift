extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// A `u64` length and the bytes.
    mutating func append(prefixed bytes: [UInt8]) {
        append(littleEndian: UInt64(bytes.count))
        append(contentsOf: bytes)
    }

    /// A `u64` length and the UTF-8 bytes.
    mutating func append(prefixed text: String) {
        append(littleEndian: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// Overwrites the bytes from `offset`. Requires that they exist.
    mutating func replace(at offset: Int, littleEndian value: some FixedWidthInteger) {
        self.withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: type(of: value)) }
    }
}
