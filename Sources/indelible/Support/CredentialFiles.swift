import Foundation
import LedgerClient

/// The files that pin a ledger and that say who is calling: from the command line, else from the environment.
struct CredentialFiles {
    var serviceCertificate: String?
    var certificate: String?
    var tokenFile: String?
    var data: String?

    /// Those that a command may read.
    var paths: [String] {
        [serviceCertificatePath, certificatePath, value(tokenFile, file: nil, "INDELIBLE_TOKEN_FILE")].compactMap(
            \.self)
    }

    /// `nil`: none was named.
    func serviceCertificatePEM() throws -> String? {
        try serviceCertificatePath.map { try InputFile.smallText($0) }
    }

    private var serviceCertificatePath: String? {
        value(serviceCertificate, file: "service_cert.pem", "INDELIBLE_SERVICE_CERTIFICATE")
    }

    private var certificatePath: String? { value(certificate, file: "admin.pem", "INDELIBLE_CERTIFICATE") }

    /// The client library knows contents only; whoever reads its message wants to know the file.
    func naming(_ error: any Error) -> any Error {
        guard let error = error as? LedgerClientError, error.code == .invalidConfiguration else { return error }
        for (words, path) in [
            ("the client certificate", certificatePath), ("the service certificate", serviceCertificatePath),
        ] {
            if let path, error.reason.hasPrefix(words) { return Failure("\(path): \(error.reason)") }
        }
        return error
    }

    /// `nil`: none was named.
    func credential() throws -> LedgerClientConfiguration.Credential? {
        if certificate != nil, tokenFile != nil {
            throw Failure("--certificate and --token-file: give one of them")
        }
        if certificate == nil, let path = value(tokenFile, file: nil, "INDELIBLE_TOKEN_FILE") {
            _ = try Self.token(path)
            return .token { try Self.token(path) }
        }
        guard let path = certificatePath else { return nil }
        // The administrator's file may be kept elsewhere than in the data directory.
        guard certificate != nil || InputFile.exists(path) else {
            throw Failure("\(path): \(FileKind.absence(path)); give --certificate FILE")
        }
        return .certificate(pem: try InputFile.smallText(path))
    }

    private func value(_ flag: String?, file: String?, _ variable: String) -> String? {
        let environment = ProcessInfo.processInfo.environment
        if let flag { return flag }
        if let data, let file { return "\(data)/\(file)" }
        if let set = environment[variable], !set.isEmpty { return set }
        if let data = environment["INDELIBLE_DATA"], !data.isEmpty, let file { return "\(data)/\(file)" }
        return nil
    }

    private static func token(_ path: String) throws -> String {
        let token = try InputFile.smallText(path).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Failure("\(path): holds no bearer token")
        }
        return token
    }
}
