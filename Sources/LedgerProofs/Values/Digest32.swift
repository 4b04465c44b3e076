/// A SHA-256 value: 32 bytes held inline as four words in memory order.
///
/// The whole package passes digests in this form, never as arrays, because the hot paths (leaves, interior
/// nodes, level files) move millions of them.
public struct Digest32: Sendable {
    @usableFromInline var words: (UInt64, UInt64, UInt64, UInt64)

    /// The number of bytes of every digest.
    public static let byteCount = 32

    /// 32 zero bytes: leaf 0 of every ledger, and the claims digest of a transaction without claims.
    public static let zero = Digest32(words: (0, 0, 0, 0))

    @usableFromInline
    init(words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// Copies exactly 32 bytes. Returns `nil` for any other count.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Digest32.byteCount else { return nil }
        self.words = (0, 0, 0, 0)
        Swift.withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
    }

    /// Copies exactly 32 bytes. Returns `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Digest32.byteCount else { return nil }
        self.words = (0, 0, 0, 0)
        Swift.withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// Reads 64 hexadecimal digits of either case. Returns `nil` for anything else.
    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { withUnsafeBytes { Hex.encode($0) } }

    /// The 32 bytes as an array.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Calls `body` with the 32 bytes. The pointer must not escape.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try Swift.withUnsafeBytes(of: words) { (raw) throws(E) -> R in try body(raw) }
    }
}

extension Digest32: Hashable {
    @inlinable
    public static func == (a: Digest32, b: Digest32) -> Bool {
        // Folded without a branch, so that comparing never tells where two digests differ.
        (a.words.0 ^ b.words.0) | (a.words.1 ^ b.words.1) | (a.words.2 ^ b.words.2) | (a.words.3 ^ b.words.3) == 0
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}

extension Digest32: CustomStringConvertible {
    public var description: String { hex }
}
