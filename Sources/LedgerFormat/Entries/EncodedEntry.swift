import LedgerProofs

/// An entry as it stands on disk.
public struct EncodedEntry: Hashable, Sendable {
    public var bytes: [UInt8]
    /// SHA-256 of `bytes`, header included.
    public var writeSetDigest: Digest32

    public init(bytes: [UInt8], writeSetDigest: Digest32) {
        self.bytes = bytes
        self.writeSetDigest = writeSetDigest
    }
}
