import ArgumentParser

/// `indelible sql …`
struct SQLCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql",
        abstract: "Ledger tables in a SQLite database.",
        discussion: """
            DB is a path or a sqlite: URL. Applications go on using the database as before; for writes to ledger \
            tables they need the extension (libindelible_sqlite) or the Swift library. Trust comes only from digests \
            that are kept elsewhere: upload them to stores, and verify against those.

            EXAMPLES
              indelible sql init app.db --all-tables
              indelible sql watch app.db --store file:///mnt/worm/digests
              indelible sql verify app.db --store file:///mnt/worm/digests
              indelible sql history app.db accounts --key 17
            """,
        subcommands: [
            SQLInit.self, SQLEnable.self, SQLStatus.self, SQLExec.self, SQLShell.self, SQLDigest.self, SQLWatch.self,
            SQLVerify.self, SQLHistory.self, SQLBlocks.self, SQLRepair.self,
        ])
}
