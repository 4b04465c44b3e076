/// A text that equals another only when both have the same UTF-8 bytes, ordered by these bytes.
///
/// `String` compares by canonical equivalence: `é` as one code point equals `e` with an accent, and the KELVIN SIGN
/// equals `K`. Files, indexes and JSON compare bytes. Names and ids that decide what is found or who may do something
/// are compared and hashed in this form.
public struct ExactText: Hashable, Sendable, Comparable {
    public let text: String

    public init(_ text: String) { self.text = text }

    /// Whether two texts have the same bytes.
    public static func same(_ a: some StringProtocol, _ b: some StringProtocol) -> Bool {
        let fast = a.utf8.withContiguousStorageIfAvailable { a in
            b.utf8.withContiguousStorageIfAvailable { same(UnsafeRawBufferPointer(a), UnsafeRawBufferPointer($0)) }
        }
        return fast.flatMap { $0 } ?? a.utf8.elementsEqual(b.utf8)
    }

    /// By words: a bearer token of a kilobyte is compared for each request.
    private static func same(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        var offset = 0
        while offset + 8 <= a.count {
            guard
                a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    == b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            else { return false }
            offset += 8
        }
        while offset < a.count {
            guard a[offset] == b[offset] else { return false }
            offset += 1
        }
        return true
    }

    public static func == (a: ExactText, b: ExactText) -> Bool { same(a.text, b.text) }

    public static func < (a: ExactText, b: ExactText) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No text is the beginning of another: this byte is never part of UTF-8.
        hasher.combine(0xFF as UInt8)
    }
}

extension Sequence<String> {
    /// Whether one of the texts has the same bytes as `text`.
    public func containsExactly(_ text: some StringProtocol) -> Bool { contains { ExactText.same($0, text) } }
}
