import ArgumentParser

/// Who a transaction is recorded for.
struct SQLIdentityOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Who makes the changes. (default: the operating system's user)", valueName: "name"))
    var principal: String?

    @Option(help: ArgumentHelp("The application that makes them. (default: indelible)", valueName: "name"))
    var application: String?

    func validate() throws {
        if principal?.isEmpty == true { throw ValidationError("--principal: is empty") }
        if application?.isEmpty == true { throw ValidationError("--application: is empty") }
    }
}
