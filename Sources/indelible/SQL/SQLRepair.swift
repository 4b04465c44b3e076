import ArgumentParser
import Foundation
import SQLLedger
import SQLLedgerDigests
import SQLLedgerSQLite

/// `indelible sql repair`
struct SQLRepair: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Put right what verification found, as new and recorded changes.",
        discussion: """
            Verifies first, then shows (--dry-run) or carries out (--apply) the repairs that the findings propose: all of \
            them in one transaction. History is never rewritten, so what was wrong stays visible in it, and \
            verification goes on naming it. What cannot be repaired that way, or what a constraint or a trigger refuses, is \
            listed with the reason; restore those rows from a backup.

            Exit codes: 0 nothing to repair or all repaired, 1 something remains, 2 unable to tell.

            EXAMPLES
              indelible sql repair app.db --digest digest.json --dry-run
              indelible sql repair app.db --store file:///mnt/worm/digests \\
                  --apply --principal ada
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @Flag(help: "Show what would be done.")
    var dryRun = false

    @Flag(help: "Do it.")
    var apply = false

    @OptionGroup var sources: DigestSources
    @OptionGroup var identity: SQLIdentityOptions
    @OptionGroup var output: JSONOption

    private struct Line: Encodable {
        var code: String
        var object: String
        var action: String
        var statement: String?
        var explanation: String
        var isDone: Bool
    }

    private struct Repair {
        var finding: Finding
        var proposal: RepairProposal
        var statement: RepairStatement
        var columns: StoredColumns?
    }

    func validate() throws {
        if dryRun == apply { throw ValidationError("give --dry-run or --apply") }
    }

    func run() async throws {
        let location = try DatabaseLocation(database)
        let (ledger, collection) = try LedgerVerification.ledger(of: location)
        let gathered = try await sources.gather(
            ledger: try sources.expectedLedger() ?? ledger, collection: collection)
        var options = VerificationOptions()
        options.jobs = ProcessInfo.processInfo.activeProcessorCount
        options.expectedLedger = try sources.expectedLedger()
        let newest = apply ? try Self.newest(SQLSession(location, mode: .readOnly)) : nil
        let report = try LedgerVerification(location: location, options: options).run(gathered)
        guard report.anchoredThrough != nil else {
            if !gathered.digests.isEmpty,
                let finding = report.findings.first(where: { $0.code.consequence != .tampered })
                    ?? report.findings.first
            {
                throw Failure("\(database): no digest could be compared with it: \(finding.object): \(finding.reason)")
            }
            throw Failure("\(database): no digest from outside anchors a repair; give --digest FILE or --store URL")
        }
        let wrong = Self.inOrder(report.findings.filter { $0.code.consequence == .tampered })
        var isLeft = false
        var done: Set<RepairStatement> = []
        // Told once it has happened.
        var told: [(finding: Finding, statement: RepairStatement?)] = []
        var refusals: [RepairStatement: String] = [:]
        let session = apply ? try SQLSession(location, mode: .readWrite, identity: identity) : nil
        let schema = wrong.isEmpty ? nil : try session ?? SQLSession(location, mode: .readOnly)
        var columns: [String: StoredColumns] = [:]
        func all() throws {
            // In the repair's transaction: nobody else's commit comes in between.
            if let session, try Self.newest(session) != newest {
                throw Failure(
                    "\(database): somebody changed it while it was verified, so that the repairs may not be right any more; "
                        + "nothing was changed, try again")
            }
            var waiting: [Repair] = []
            for finding in wrong {
                var known: StoredColumns?
                if let table = finding.repair?.table, let schema {
                    known = try columns[table] ?? StoredColumns(of: table, session: schema)
                    columns[table] = known
                }
                guard let proposal = finding.repair,
                    let statement = RepairStatement(
                        proposal, generated: known?.generated ?? [], ordinary: known?.ordinary.first)
                else {
                    isLeft = true
                    told.append((finding, nil))
                    continue
                }
                // Several findings may ask for the same change.
                guard done.insert(statement).inserted else { continue }
                told.append((finding, statement))
                waiting.append(Repair(finding: finding, proposal: proposal, statement: statement, columns: known))
            }
            guard let session else { return }
            var effect = try RepairEffect(session)
            // What is in the way of a repair may be what another one changes.
            var isRetried = true
            while isRetried {
                refusals = [:]
                let tried = waiting
                waiting = []
                for repair in tried {
                    if let reason = try Self.refusal(of: repair, session) {
                        refusals[repair.statement] = reason
                        waiting.append(repair)
                    } else {
                        effect.expect(repair.proposal)
                    }
                }
                isRetried = !waiting.isEmpty && waiting.count < tried.count
            }
            isLeft = isLeft || !waiting.isEmpty
            done.subtract(refusals.keys)
            try effect.check(session)
        }
        if let session { try session.transaction { try all() } } else { try all() }
        for (finding, statement) in told { tell(finding, statement, refusal: statement.flatMap { refusals[$0] }) }
        if !output.json {
            if wrong.isEmpty {
                Output.line("\(Style.good("nothing to repair"))")
            } else if apply {
                Output.line(
                    "\(Self.repairs(done.count)) made\(isLeft ? "; what is listed above without one, or as not made, remains" : "")"
                )
            } else {
                let them = done.count == 1 ? "it" : "them"
                Output.line("\(Self.repairs(done.count)) possible\(done.isEmpty ? "" : "; --apply makes \(them)")")
            }
        }
        if isLeft || (dryRun && !wrong.isEmpty) { throw ExitStatus.proofFailed }
    }

    /// The number of the newest entry.
    private static func newest(_ session: SQLSession) throws -> SQLValue? {
        try session.value("SELECT max(transaction_id) FROM database_ledger_transactions")
    }

    /// Triggers that record changes are put back before rows are changed, and indexes are built from rows that are right.
    private static func inOrder(_ findings: [Finding]) -> [Finding] {
        func rank(_ finding: Finding) -> Int {
            switch finding.repair?.action {
            case .reinstall: finding.repair.flatMap { RepairStatement($0) }?.isComputed ?? false ? 1 : 0
            case .reindex: 2
            default: 1
            }
        }
        return (0...2).flatMap { place in findings.filter { rank($0) == place } }
    }

    private static func repairs(_ count: Int) -> String {
        "\(count == 0 ? "no" : "\(count)") repair\(count == 1 ? "" : "s")"
    }

    /// Carries a repair out. Answers why it could not be, where a constraint or a trigger of the table refuses it: that stops none
    /// of the others.
    private static func refusal(of repair: Repair, _ session: SQLSession) throws -> String? {
        do {
            _ = try session.rows("SAVEPOINT repair")
            var reason: String?
            if repair.finding.code == .rowExtra, repair.finding.transaction == nil, let columns = repair.columns {
                reason = try takeAway(repair.proposal, repair.statement, columns, session)
            } else {
                _ = try session.rows(repair.statement.sql, repair.statement.values)
            }
            _ = try session.rows("RELEASE repair")
            return reason
        } catch {
            let refusal = (error as? SQLiteLedgerError).flatMap { $0.isConstraint ? $0.message : nil }
            let triggers = try RepairEffect.triggers(of: repair.proposal.table, session)
            // A conflict clause can have ended the whole transaction.
            if let refusal, try session.isInTransaction() {
                _ = try session.rows("ROLLBACK TO repair")
                _ = try session.rows("RELEASE repair")
                return refusal + triggers
            }
            let reason = refusal ?? (error as? Failure)?.message ?? "\(error)"
            throw Failure(
                "\(repair.finding.object): \(repair.statement.text): \(reason)\(triggers); nothing was changed")
        }
    }

    /// A row that was written past the ledger has no beginning there, so a DELETE would leave no trace of what it held.
    /// It is written once through the ledger, and ended as that. Answers why not, where it is not one row.
    private static func takeAway(
        _ proposal: RepairProposal, _ delete: RepairStatement, _ columns: StoredColumns, _ session: SQLSession
    ) throws -> String? {
        // With its row id, because there may be one that belongs to a row that is missing.
        let names = columns.ordinary + (columns.rowID.map { [$0] } ?? [])
        let list = names.map(\.quotedIdentifier).joined(separator: ", ")
        let condition = proposal.key.map { "\(RepairStatement.column($0)) IS ?" }.joined(separator: " AND ")
        let rows = try session.rows(
            "SELECT \(list) FROM \(proposal.table.quotedIdentifier) WHERE \(condition)", proposal.key.map(\.value))
        guard rows.count == 1, let row = rows.first else {
            return "\(rows.count) rows have this key, not one; take the row away by hand"
        }
        _ = try session.rows(delete.sql, delete.values)
        let marks = names.map { _ in "?" }.joined(separator: ", ")
        _ = try session.rows("INSERT INTO \(proposal.table.quotedIdentifier) (\(list)) VALUES (\(marks))", row)
        _ = try session.rows(delete.sql, delete.values)
        return nil
    }

    private func tell(_ finding: Finding, _ statement: RepairStatement?, refusal: String?) {
        let explanation =
            refusal.map { "not made: \($0)" } ?? finding.repair?.explanation ?? "there is no repair for this"
        if output.json {
            Output.json(
                Line(
                    code: finding.code.rawValue, object: finding.object,
                    action: finding.repair?.action.rawValue ?? "NONE", statement: statement?.text,
                    explanation: explanation, isDone: apply && statement != nil && refusal == nil))
            return
        }
        let key = finding.key.isEmpty ? "" : " [\(finding.key.map(\.description).joined(separator: ", "))]"
        Output.line(PlainText.of("\(finding.code.rawValue) \(finding.object)\(key)"))
        if let statement { Output.line(PlainText.of("  \(statement.text);")) }
        Output.line(PlainText.of("  \(statement == nil ? "no repair: " : "")\(explanation)"))
    }
}
