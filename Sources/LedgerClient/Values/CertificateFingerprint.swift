import Foundation
import LedgerProofs

/// SHA-256 fingerprints of certificates: the user id of a certificate's holder (API spec B.1) and the way to
/// compare a service certificate by eye.
public enum CertificateFingerprint {
    /// The fingerprint of the first certificate in PEM text: upper-case pairs joined by colons, 95 characters.
    /// `nil` when there is none.
    public static func first(inPEM pem: String) -> String? {
        let lines = pem.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        guard let begin = lines.firstIndex(of: "-----BEGIN CERTIFICATE-----"),
            let end = lines[begin...].firstIndex(of: "-----END CERTIFICATE-----"),
            let der = Data(base64Encoded: lines[(begin + 1)..<end].joined())
        else { return nil }
        return text(SHA256Hashing.digest(Array(der)))
    }

    /// Whether a text has the 64 hexadecimal digits of a fingerprint, and colons and spaces besides.
    public static func isWhole(_ text: String) -> Bool {
        text.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == " " } && text.filter(\.isHexDigit).count == 64
    }

    /// Compares without regard to case, colons and spaces.
    public static func areEqual(_ a: String, _ b: String) -> Bool {
        a.lowercased().filter(\.isHexDigit) == b.lowercased().filter(\.isHexDigit)
    }

    static func text(_ digest: Digest32) -> String {
        digest.bytes.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "0\(digits)" : digits
        }.joined(separator: ":")
    }
}
