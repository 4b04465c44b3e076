import LedgerProofs

/// One transaction as a person wants to see it.
public struct LedgerTransaction: Hashable, Sendable {
    public enum PrivateDomain: String, Hashable, Sendable {
        /// There is none.
        case empty
        /// It is encrypted and no secret was given.
        case closed
        /// It was decrypted; its tables are among `maps`.
        case opened
        /// The secret does not fit.
        case wrongSecret
    }

    public var file: String
    /// Bytes from the start of the file.
    public var offset: UInt64
    /// All bytes of the entry.
    public var byteCount: UInt64
    public var id: TransactionID
    public var flags: EntryFlags
    public var type: EntryType
    public var claimsDigest: Digest32?
    public var commitEvidenceDigest: Digest32?
    public var writeSetDigest: Digest32
    /// `nil` for a type without a leaf.
    public var leaf: Digest32?
    public var maps: [MapWrites]
    public var privateDomain: PrivateDomain
    public var privateByteCount: UInt64

    /// Whether the transaction holds a raw or a COSE signature.
    public var isSignature: Bool { maps.contains { $0.name == .signatures || $0.name == .coseSignatures } }

    /// The transaction as JSON. Keys and values that are not printable text appear as hexadecimal digits after
    /// `0x`.
    public func json(withValues: Bool) -> JSONValue {
        func number(_ value: UInt64) -> JSONValue { Int64(exactly: value).map { .integer($0) } ?? .unsigned(value) }
        var object: [String: JSONValue] = [
            "transactionId": .string(id.description),
            "seqno": number(id.seqno.rawValue),
            "view": number(UInt64(id.view.rawValue)),
            "file": .string(file),
            "offset": number(offset),
            "size": number(byteCount),
            "flags": .array(flagNames.map { .string($0) }),
            "isSignature": .bool(isSignature),
            "writeSetDigest": .string(writeSetDigest.hex),
            "privateDomain": .string(privateDomain.rawValue),
            "privateSize": number(privateByteCount),
            "maps": .array(maps.map { LedgerTransaction.json($0, withValues) }),
        ]
        if let claimsDigest, claimsDigest != .zero { object["claimsDigest"] = .string(claimsDigest.hex) }
        if let leaf { object["leaf"] = .string(leaf.hex) }
        return .object(object)
    }

    private static func json(_ map: MapWrites, _ withValues: Bool) -> JSONValue {
        .object([
            "name": .string(map.name.rawValue),
            "writes": .array(
                map.writes.map { write in
                    var row: [String: JSONValue] = ["key": .string(printable(write.key))]
                    if withValues { row["value"] = .string(printable(write.value)) }
                    return .object(row)
                }),
            "removes": .array(map.removes.map { .string(printable($0)) }),
        ])
    }

    /// Lines of text: one for the transaction, one for each table, and with values one for each row.
    public func text(withValues: Bool) -> String {
        var lines = ["\(id)  \(file) +\(offset)  \(byteCount) bytes"]
        if isSignature { lines[0] += "  signature" }
        for name in flagNames { lines[0] += "  \(name)" }
        if let claimsDigest, claimsDigest != .zero { lines[0] += "  claims \(claimsDigest)" }
        for map in maps {
            let name = LedgerTransaction.inLine(Array(map.name.rawValue.utf8))
            lines.append("  \(name)  \(map.writes.count) written, \(map.removes.count) removed")
            guard withValues else { continue }
            for write in map.writes {
                lines.append(
                    "    \(LedgerTransaction.inLine(write.key)) = \(LedgerTransaction.inLine(write.value))")
            }
            for key in map.removes { lines.append("    \(LedgerTransaction.inLine(key)) removed") }
        }
        switch privateDomain {
        case .empty, .opened: break
        case .closed: lines.append("  private: \(privateByteCount) bytes, encrypted")
        case .wrongSecret: lines.append("  private: \(privateByteCount) bytes, the secret does not fit")
        }
        return lines.joined(separator: "\n")
    }

    private var flagNames: [String] {
        (flags.contains(.endChunkAfter) ? ["endChunkAfter"] : [])
            + (flags.contains(.endChunkBefore) ? ["endChunkBefore"] : [])
    }

    /// The text when all of it is printable, else `0x` and hexadecimal digits.
    public static func printable(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self),
            text.unicodeScalars.allSatisfy({ isPrintable($0) })
        {
            return text
        }
        return "0x" + Hex.encode(bytes)
    }

    /// The same in a line among others, which nothing in it may end.
    private static func inLine(_ bytes: [UInt8]) -> String {
        printable(bytes).replacing("\n", with: "\\n").replacing("\t", with: "\\t")
    }

    /// Control characters and format characters could change what a terminal shows.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\n" || scalar == "\t" { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }
}
