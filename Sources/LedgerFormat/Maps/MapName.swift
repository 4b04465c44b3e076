import LedgerProofs

/// The name of a table of the key-value store. Ordered by its UTF-8 bytes.
///
/// A name that starts with `public:` is stored in plaintext, every other name encrypted (CCF ledger format 2.3).
public struct MapName: RawRepresentable, Hashable, Sendable {
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ rawValue: String) { self.rawValue = rawValue }

    /// The start of every public name.
    public static let publicPrefix = "public:"

    /// Whether the table is written into the public domain.
    public var isPublic: Bool { rawValue.utf8.starts(with: MapName.publicPrefix.utf8) }

    /// Whether only governance or the node itself may write the table.
    public var isReserved: Bool { rawValue.utf8.starts(with: "public:ccf.".utf8) }
}

extension MapName: Comparable {
    /// By bytes, as the store tells them apart: equivalent spellings are two names.
    public static func == (a: MapName, b: MapName) -> Bool { ExactText.same(a.rawValue, b.rawValue) }

    public static func < (a: MapName, b: MapName) -> Bool {
        a.rawValue.utf8.lexicographicallyPrecedes(b.rawValue.utf8)
    }
}

extension MapName: CustomStringConvertible {
    public var description: String { rawValue }
}
