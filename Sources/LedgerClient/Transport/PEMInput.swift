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
