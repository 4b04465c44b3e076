import Foundation
import NIOSSL

/// Reads certificates and keys from PEM text and says in plain words what is wrong with it.
enum PEMInput {
    static func certificates(_ pem: String, input: String) throws(LedgerClientError) -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8))
            guard !certificates.isEmpty else {
                throw LedgerClientError(.invalidConfiguration, "\(input): holds no PEM certificate")
            }
            return certificates
        } catch let error as LedgerClientError {
            throw error
        } catch {
            throw LedgerClientError(.invalidConfiguration, "\(input): holds no readable PEM certificate", cause: error)
        }
    }

    /// The one certificate of a text that is one PEM block and nothing else, encoded again from what was understood: no
    /// other reader of PEM finds another certificate in it. `nil` for anything else.
    static func onlyCertificate(_ pem: String) -> String? {
        let lines = pem.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        guard lines.count > 2, lines[0] == begin, lines[lines.count - 1] == end,
            let der = Data(base64Encoded: lines[1..<(lines.count - 1)].joined()),
            let certificate = try? NIOSSLCertificate(bytes: Array(der), format: .der),
            let again = try? certificate.toDERBytes(), again == Array(der)
        else { return nil }
        let text = Data(again).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return "\(begin)\n\(text)\n\(end)\n"
    }

    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"

    static func privateKey(_ pem: String, input: String) throws(LedgerClientError) -> NIOSSLPrivateKey {
        // The key may stand before or after the certificate; the TLS library takes the first block only.
        guard let block = keyBlock(in: pem) else {
            throw LedgerClientError(.invalidConfiguration, "\(input): holds no PEM private key")
        }
        do {
            return try NIOSSLPrivateKey(bytes: Array(block.utf8), format: .pem)
        } catch {
            throw LedgerClientError(.invalidConfiguration, "\(input): holds no readable PEM private key", cause: error)
        }
    }

    private static func keyBlock(in pem: String) -> String? {
        var lines: [Substring] = []
        var end: String?
        for line in pem.split(whereSeparator: \.isNewline) {
            if end == nil, line.hasPrefix("-----BEGIN "), line.hasSuffix("PRIVATE KEY-----") {
                end = "-----END " + line.dropFirst("-----BEGIN ".count)
            }
            guard let end else { continue }
            lines.append(line)
            if line == end { return lines.joined(separator: "\n") + "\n" }
        }
        return nil
    }
}
