import Crypto

/// A caller-made 32-byte digest that ECDSA signs as it is. A ledger's root signature uses the root itself as
/// the ECDSA digest, with every curve; the usual calls would hash it again.
///
/// Documentation/spec/receipt-json.md, "Signature"
public struct PrehashedSHA256: Digest {
    private let value: Digest32

    public init(_ value: Digest32) {
        self.value = value
    }

    public static var byteCount: Int { Digest32.byteCount }

    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try value.withUnsafeBytes(body)
    }

    public func makeIterator() -> Array<UInt8>.Iterator { value.bytes.makeIterator() }

    public var description: String { value.hex }
}
