import LedgerProofs

/// A committed chunk or snapshot file that may be downloaded.
public struct LedgerChunkFile: Hashable, Sendable {
    public var fileName: String
    public var first: SequenceNumber
    public var last: SequenceNumber
    public var byteCount: UInt64

    public init(fileName: String, first: SequenceNumber, last: SequenceNumber, byteCount: UInt64) {
        self.fileName = fileName
        self.first = first
        self.last = last
        self.byteCount = byteCount
    }
}
