import ArgumentParser
import LedgerProofs
import SQLLedger

/// `indelible sql blocks`
struct SQLBlocks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blocks",
        abstract: "Show the closed blocks, newest first.",
        discussion: """
            Block, time of closing, transactions, first transaction and block hash, as the database says.

            EXAMPLES
              indelible sql blocks app.db --limit 10
              indelible sql blocks app.db --json
            """)

    private struct Line: Encodable {
        var blockId: UInt64
        var closeTime: String
        var transactions: UInt64
        var firstTransaction: UInt64
        var hash: String
        var previousHash: String?
        var transactionsRoot: String
        var historyRoot: String
    }

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @Option(help: ArgumentHelp("At most this many.", valueName: "count"))
    var limit: Int?

    @OptionGroup var output: JSONOption

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit: \(limit) is not at least 1") }
    }

    func run() throws {
        let session = try SQLSession(try DatabaseLocation(database), mode: .readOnly)
        let text = try LedgerStatus.requireIdentity(session, database)
        guard let ledger = LedgerID(hex: text) else { throw Failure("\(database): its ledger id is not 16 bytes") }
        var table = TextTable(["block", "closed", "transactions", "first", "hash"], numeric: [0, 2, 3])
        var count = 0
        let sql = """
            SELECT \(StoredBlockRow.columns) FROM database_ledger_blocks ORDER BY block_id DESC \(limit.map { "LIMIT \($0)" } ?? "")
            """
        _ = try session.run(sql, SQLBindings()) { _, row in
            guard let block = StoredBlockRow.block(row, of: ledger) else {
                throw Failure(
                    "block \(row[0].shown): is not a block; see: indelible sql verify", status: .proofFailed)
            }
            count += 1
            if output.json {
                Output.json(
                    Line(
                        blockId: block.id.rawValue, closeTime: block.closeTime.description, transactions: block.size,
                        firstTransaction: block.firstTransaction.rawValue, hash: block.hash.hex,
                        previousHash: block.previous?.hex, transactionsRoot: block.transactionsRoot.hex,
                        historyRoot: block.historyRoot.hex))
            } else {
                table.append([
                    "\(block.id)", "\(block.closeTime)", "\(block.size)", "\(block.firstTransaction)", block.hash.hex,
                ])
            }
        }
        guard !output.json else { return }
        if count == 0 { Output.diagnostic("no block was closed yet") } else { table.finish() }
    }
}
