/// PEM text around one DER value (RFC 7468), read strictly: one block, nothing before it, and after it only
/// line ends or one NUL. Lines may end with CR LF and may have any length.
public enum PEM {
    /// No certificate or public key of a ledger comes near this many characters.
    public static let maximumByteCount = 64 * 1024

    /// The DER bytes in a single block labelled `label`, such as `CERTIFICATE`.
    /// - Throws: `ProofError.malformed` for anything else, `.outOfRange` for more than `maximumByteCount` characters.
    public static func decode(_ text: String, label: String) throws(ProofError) -> [UInt8] {
        guard text.utf8.count <= maximumByteCount else { throw .outOfRange("the PEM text is too long") }
        var utf8 = Array(text.utf8)
        if utf8.last == 0 { utf8.removeLast() }
        while let last = utf8.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { utf8.removeLast() }

        var lines = utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        }
        guard lines.count >= 3,
            lines.removeFirst().elementsEqual("-----BEGIN \(label)-----".utf8),
            lines.removeLast().elementsEqual("-----END \(label)-----".utf8)
        else { throw .malformed("the text is not one PEM block with label \(label)") }
        guard let der = Base64.decode(ascii: lines.flatMap { $0 }), !der.isEmpty else {
            throw .malformed("the PEM block is not base64")
        }
        return der
    }

    /// One block with lines of 64 characters and a final line feed.
    public static func encode(_ der: [UInt8], label: String) -> String {
        var text = "-----BEGIN \(label)-----\n"
        var rest = Substring(Base64.encode(der))
        while !rest.isEmpty {
            text += rest.prefix(64)
            text += "\n"
            rest = rest.dropFirst(64)
        }
        return text + "-----END \(label)-----\n"
    }
}
