extension CBOR {
    /// Reads exactly one value.
    ///
    /// - Throws: `ProofError`: `.outOfRange` for more than `limits` allow, `.truncated`, `.trailingBytes`,
    ///   `.duplicateMember` for a map key that occurs twice, and `.malformed` for a number that is not in its
    ///   shortest form, an indefinite length, text that is not UTF-8, a floating-point number or another simple value.
    public init(decoding bytes: [UInt8], limits: DecodingLimits = DecodingLimits()) throws(ProofError) {
        guard bytes.count <= limits.maximumByteCount else { throw .outOfRange("the CBOR value is too large") }
        var reader = CBORReader(bytes: bytes, maximumItemCount: limits.maximumItemCount)
        self = try reader.value(depth: limits.maximumDepth)
        guard reader.offset == bytes.count else { throw .trailingBytes("bytes after the CBOR value") }
    }
}
