import LedgerProofs

/// A receipt response: the bytes as they came, worth keeping, and their meaning. Not verified.
public struct ReceiptAnswer: Sendable {
    public var json: [UInt8]
    public var document: UnverifiedReceiptDocument
}
