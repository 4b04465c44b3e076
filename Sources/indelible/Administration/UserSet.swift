import ArgumentParser
import LedgerClient

/// `indelible user set`
struct UserSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Create a user or replace its roles.",
        discussion: """
            A user is known by the SHA-256 fingerprint of its certificate (AA:BB:…) or by the subject of its tokens. \
            With --from-certificate the fingerprint is taken from the file.

            EXAMPLES
              indelible user set 5F:1B:… Contributor --data ./data
              indelible user set --from-certificate alice.pem Reader auditor --data ./data
            """)

    @Argument(help: "The user id (unless --from-certificate is given), then the roles.")
    var words: [String] = []

    @Option(help: ArgumentHelp("Take the user id from this PEM certificate.", valueName: "file"))
    var fromCertificate: String?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func validate() throws {
        let needed = fromCertificate == nil ? 2 : 1
        guard words.count >= needed else {
            throw ValidationError(fromCertificate == nil ? "give a user id and at least one role" : "give a role")
        }
        if fromCertificate == nil, words[0].isEmpty { throw ValidationError("the user id is empty") }
    }

    func run() async throws {
        var roles = words
        let user: String
        if let path = fromCertificate {
            user = try InputFile.certificate(of: path).userID
        } else {
            user = roles.removeFirst()
        }
        try await connection.withClient { [roles] client in
            UserOutput(try await client.setUser(user, roles: roles)).show(asJSON: output.json)
        }
    }
}
