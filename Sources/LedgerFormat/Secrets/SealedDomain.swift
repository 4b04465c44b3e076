/// An encrypted private domain.
public struct SealedDomain: Hashable, Sendable {
    /// 16 bytes.
    public var tag: [UInt8]
    /// As long as the plaintext; may be empty.
    public var ciphertext: [UInt8]

    public init(tag: [UInt8], ciphertext: [UInt8]) {
        self.tag = tag
        self.ciphertext = ciphertext
    }
}
