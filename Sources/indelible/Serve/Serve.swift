import ArgumentParser

/// `indelible serve`
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run a ledger.",
        discussion: """
            The first start creates the ledger in the data directory; when no administrator is named it makes one, in \
            DIR/admin.pem. The certificate that clients pin is DIR/service_cert.pem. One line on standard output says \
            when the ledger is ready; the log goes to standard error. SIGTERM, SIGINT and SIGHUP finish what is under way \
            and stop.

            Every option can also come from the environment (INDELIBLE_ and its name, for example INDELIBLE_LEDGER_TYPE; \
            lists separated by commas) and from a JSON configuration file with the same names ("ledger-type": "public"). \
            The command line wins over the environment, the environment over the file.

            EXAMPLES
              indelible serve --data ./data
              indelible serve --data /var/lib/indelible --listen 0.0.0.0:8443 \\
                  --san ledger.example --name example
              indelible serve --data ./data \\
                  --oidc-issuer https://login.example --oidc-audience ledger
            """)

    @Option(
        help: ArgumentHelp("The data directory. Required here, in the environment or in the file.", valueName: "dir"))
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Address and port; port 0 takes a free one. (default 127.0.0.1:8443)", valueName: "host:port"))
    var listen: String?

    @Option(help: "The ledger id, 3 to 35 letters, digits and hyphens. (default indelible)")
    var name: String?

    @Option(help: ArgumentHelp("public or private; fixed at creation. (default private)", valueName: "type"))
    var ledgerType: String?

    @Option(
        name: .customLong("admin-certificate"),
        help: ArgumentHelp("The certificate of a first administrator. Repeatable.", valueName: "file"))
    var adminCertificates: [String] = []

    @Option(
        name: .customLong("san"),
        help: ArgumentHelp("A host name or address by which clients reach the node. Repeatable.", valueName: "name"))
    var sans: [String] = []

    @Option(help: ArgumentHelp("A JSON file with options.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Seal the stored keys with the bytes of this file, kept elsewhere.", valueName: "file"))
    var sealingKey: String?

    @Option(help: ArgumentHelp("Seal the stored keys with the passphrase in this file.", valueName: "file"))
    var sealingPassphraseFile: String?

    @Option(
        name: .customLong("oidc-issuer"),
        help: ArgumentHelp("Accept bearer tokens of this issuer. Repeatable.", valueName: "url"))
    var oidcIssuers: [String] = []

    @Option(
        name: .customLong("oidc-audience"),
        help: ArgumentHelp(
            "An accepted audience. Repeatable. (default https://confidential-ledger.azure.com)", valueName: "audience"))
    var oidcAudiences: [String] = []

    @Option(help: ArgumentHelp("The token claim that names the user. (default oid, else sub)", valueName: "claim"))
    var oidcUserClaim: String?

    @Option(help: ArgumentHelp("Authorities trusted for issuers, besides the system's.", valueName: "file"))
    var oidcCertificateAuthority: String?

    @Option(help: ArgumentHelp("Accept tokens of this Entra ID tenant.", valueName: "tenant"))
    var entraTenant: String?

    @Flag(help: "Verify the whole ledger before serving, not only its end.")
    var verifyOnStart = false

    @Flag(help: "Serve constitution, members and quotes to anyone.")
    var anonymousGovernance = false

    @Option(help: ArgumentHelp("The longest request body, 1024 to 268435456. (default 1048576)", valueName: "bytes"))
    var maxBodySize: Int?

    @Option(
        help: ArgumentHelp(
            "A ledger file closes after this many bytes, 4096 to 1073741824. (default 5000000)",
            valueName: "bytes"))
    var chunkSize: Int?

    @Option(
        help: ArgumentHelp(
            "A snapshot is taken after this many transactions, at least 10. (default 50000)",
            valueName: "count"))
    var snapshotInterval: Int?

    @Option(
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical. (default notice)", valueName: "level"))
    var logLevel: String?

    @Option(help: ArgumentHelp("text or json. (default text)", valueName: "format"))
    var logFormat: String?

    @Flag(help: ArgumentHelp("Serve POST /benchmark/empty.", visibility: .hidden))
    var benchmarkRoute = false

    func run() async throws {
        try await ServeRun(settings: try ServeSettings(self)).run()
    }
}
