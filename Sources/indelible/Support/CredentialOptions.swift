import ArgumentParser

/// The certificate that a confidential ledger must show, and what a client shows to it.
struct CredentialOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The service certificate to pin; nothing else is trusted. (env INDELIBLE_SERVICE_CERTIFICATE)",
            valueName: "file"))
    var serviceCertificate: String?

    @Option(
        help: ArgumentHelp(
            "Client certificate and private key in one PEM file. (env INDELIBLE_CERTIFICATE)", valueName: "file"))
    var certificate: String?

    @Option(
        help: ArgumentHelp(
            "A file with a bearer token, instead of a certificate. (env INDELIBLE_TOKEN_FILE)", valueName: "file"))
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "A ledger's local data directory: short for its service_cert.pem and admin.pem. (env INDELIBLE_DATA)",
            valueName: "dir"))
    var data: String?

    var files: CredentialFiles {
        CredentialFiles(
            serviceCertificate: serviceCertificate, certificate: certificate, tokenFile: tokenFile, data: data)
    }
}
