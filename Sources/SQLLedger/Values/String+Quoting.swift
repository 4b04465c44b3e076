extension String {
    /// Every occurrence of `scalar` replaced. A quote that a combining mark follows is another `Character`, which the standard
    /// library's `replacing` and `split` pass over, and still ends a token of SQL or of a shell.
    package func replacing(scalar: Unicode.Scalar, with replacement: String) -> String {
        guard unicodeScalars.contains(scalar) else { return self }
        var scalars = UnicodeScalarView()
        for each in unicodeScalars {
            if each == scalar { scalars.append(contentsOf: replacement.unicodeScalars) } else { scalars.append(each) }
        }
        return String(scalars)
    }

    /// In double quotes, as an SQL identifier.
    package var quotedIdentifier: String { "\"" + replacing(scalar: "\"", with: "\"\"") + "\"" }

    /// In single quotes, as an SQL text.
    package var quotedText: String { "'" + replacing(scalar: "'", with: "''") + "'" }
}
