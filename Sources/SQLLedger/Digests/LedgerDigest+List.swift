import LedgerProofs

extension LedgerDigest {
    /// No list of digests is larger.
    public static let maximumListByteCount = 1 << 28

    /// Reads what people keep digests in: one object, an array of objects, or objects on lines of their own; empty
    /// lines do not count.
    /// - Throws: `ProofError` for the first value that is not a digest, `.missingMember` when there is none at all.
    public static func list(json: String) throws(ProofError) -> [LedgerDigest] {
        try list(json: Array(json.utf8))
    }

    /// Reads what people keep digests in: one object, an array of objects, or objects on lines of their own; empty
    /// lines do not count.
    /// - Throws: `ProofError` for the first value that is not a digest, `.missingMember` when there is none at all.
    public static func list(json bytes: [UInt8]) throws(ProofError) -> [LedgerDigest] {
        let digests = try values(bytes)
        guard !digests.isEmpty else { throw .missing("there is no digest") }
        return digests
    }

    private static func values(_ bytes: [UInt8]) throws(ProofError) -> [LedgerDigest] {
        let limits = DecodingLimits(
            maximumByteCount: maximumListByteCount, maximumDepth: 3, maximumItemCount: 1 << 24)
        guard bytes.count <= maximumListByteCount else { throw .outOfRange("the list of digests is too large") }
        let space: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        if bytes.first(where: { !space.contains($0) }) == UInt8(ascii: "[") {
            guard let items = try JSONValue(json: bytes, limits: limits).array else { return [] }
            var digests: [LedgerDigest] = []
            for item in items { digests.append(try LedgerDigest(item)) }
            return digests
        }
        // One object may stand on several lines; several objects stand on one line each.
        do {
            return [try LedgerDigest(JSONValue(json: bytes, limits: limits))]
        } catch  where error.code != .trailingBytes {
            guard bytes.contains(where: { !space.contains($0) }) else { return [] }
            throw error
        } catch {}
        var digests: [LedgerDigest] = []
        for line in bytes.split(whereSeparator: { $0 == 0x0A }) where line.contains(where: { !space.contains($0) }) {
            digests.append(try LedgerDigest(json: Array(line)))
        }
        return digests
    }
}
