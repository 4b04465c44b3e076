import LedgerProofs

/// The identity of one SQL ledger: 16 random bytes, fixed at creation and part of every transaction and block, so that
/// nothing of a clone or of another database passes for it.
public struct LedgerID: Hashable, Sendable, CustomStringConvertible {
    /// The number of bytes of every identity.
    public static let byteCount = 16

    private let high: UInt64
    private let low: UInt64

    /// Copies exactly 16 bytes. Returns `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
        high = UInt64(bigEndian: words.0)
        low = UInt64(bigEndian: words.1)
    }

    /// Reads 32 lower-case hexadecimal digits. Returns `nil` for anything else.
    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex), Hex.encode(bytes) == hex else { return nil }
        self.init(bytes)
    }

    /// A new identity from the system's random numbers.
    public static func random() -> LedgerID {
        var generator = SystemRandomNumberGenerator()
        return LedgerID(high: generator.next(), low: generator.next())
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The 16 bytes.
    public var bytes: [UInt8] {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) }
    }

    /// 32 lower-case hexadecimal digits.
    public var hex: String { Hex.encode(bytes) }

    public var description: String { hex }
}
