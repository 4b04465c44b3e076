import ArgumentParser
import LedgerClient

/// `indelible identity get`
struct IdentityGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Ask a ledger for its service certificate.",
        discussion: """
            Whoever answers is believed on first contact: compare the fingerprint with one that came another way, or \
            give --expect-fingerprint. With --trust only that certificate is accepted for the connection. An answer that \
            is anything but one PEM certificate is refused; what is written is that certificate, encoded anew.

            Exit codes: 0 fine, 1 another fingerprint than expected, 2 unable to tell.

            EXAMPLES
              indelible identity get https://127.0.0.1:8443 --output service_cert.pem
              indelible identity get https://ledger.example:8443 --ledger indelible \\
                  --expect-fingerprint 5F:1B:…
            """)

    @Argument(help: "The address, https://host:port.")
    var url: String

    @Option(help: ArgumentHelp("The ledger id. (default: taken from the host name)", valueName: "id"))
    var ledger: String?

    @Option(help: ArgumentHelp("Trust only this PEM certificate for the connection.", valueName: "file"))
    var trust: String?

    @Option(help: ArgumentHelp("SHA-256 fingerprint that the certificate must have.", valueName: "hex"))
    var expectFingerprint: String?

    @Option(
        help: ArgumentHelp("Write the certificate to a file; - is standard output, as without it.", valueName: "file"))
    var output: String?

    @OptionGroup var form: JSONOption

    private struct Result: Encodable {
        var ledgerId: String
        var fingerprint: String
        var ledgerTlsCertificate: String
    }

    func validate() throws {
        if let expectFingerprint, !CertificateFingerprint.isWhole(expectFingerprint) {
            throw ValidationError(
                "--expect-fingerprint: '\(expectFingerprint)' is not a SHA-256 fingerprint (64 hexadecimal digits)")
        }
    }

    func run() async throws {
        if let output, let trust { try OutputFile.check(output, "--output", isNoneOf: [trust]) }
        let identity = try await IdentityFetch.identity(
            endpoint: url, ledgerID: ledger, trustedPEM: try trust.map { try InputFile.smallText($0) })
        guard let fingerprint = CertificateFingerprint.first(inPEM: identity.certificatePEM) else {
            throw Failure("\(url): the answer holds no certificate")
        }
        if let expected = expectFingerprint, !CertificateFingerprint.areEqual(expected, fingerprint) {
            throw Failure("\(url): the fingerprint is \(fingerprint), expected \(expected)", status: .proofFailed)
        }
        let output = output.flatMap { OutputFile.isStandardOutput($0) ? nil : $0 }
        if let output { try OutputFile.write(Array(identity.certificatePEM.utf8), to: output) }
        if form.json {
            Output.json(
                Result(
                    ledgerId: identity.ledgerID, fingerprint: fingerprint,
                    ledgerTlsCertificate: identity.certificatePEM))
        } else if output == nil {
            Output.bytes(Array(identity.certificatePEM.utf8))
            Output.diagnostic("fingerprint \(fingerprint)")
        } else {
            Output.line("ledger \(PlainText.of(identity.ledgerID)), fingerprint \(fingerprint)")
        }
    }
}
