import LedgerProofs
import SQLLedger

/// The steps of one tampering, and what verification must find.
struct TamperingPlan {
    var steps: [Tampering]
    var findings: [ExpectedFinding]
    /// Codes that must be there as well, in any number.
    var consequences: Set<Finding.Code> = []

    /// Codes that may be there as well.
    var tolerated: Set<Finding.Code> = []

    var countedCodes: Set<Finding.Code> { Set(findings.map(\.code)) }
    var codes: Set<Finding.Code> { countedCodes.union(consequences) }

    /// - Parameter numbers: of the transactions of the model.
    init(
        _ tampering: TamperingCase, numbers: [TransactionNumber], view: EvidenceView,
        history: (String) throws -> String
    ) throws {
        typealias Step = HonestHistory.Step
        func id(_ id: Int64) -> [NamedValue] { HonestHistory.id(id) }
        let (load, lonely, payment) = (numbers[Step.load], numbers[Step.lonelyRow], numbers[Step.payment])
        switch tampering {
        case .liveCell:
            steps = [.liveCell(table: "account", key: id(42), NamedValue("amount", .integer(999_999)))]
            findings = [
                ExpectedFinding(
                    .rowAltered, object: "account", key: id(42), columns: ["amount"], transaction: load, sequence: 41)
            ]
        case .liveRowDeleted:
            steps = [.liveRowDeleted(table: "account", key: id(42))]
            findings = [ExpectedFinding(.rowMissing, object: "account", transaction: load, sequence: 41)]
        case .liveRowInserted:
            let row = id(7777) + [NamedValue("owner", .text("mallory"))]
            steps = [.liveRowInserted(table: "account", row: row, stampOf: id(42))]
            findings = [ExpectedFinding(.rowExtra, object: "account", key: id(7777))]
        case .liveCellsSwapped:
            steps = [
                .liveCell(table: "account", key: id(20), NamedValue("amount", .integer(210))),
                .liveCell(table: "account", key: id(21), NamedValue("amount", .integer(200))),
            ]
            findings = [20, 21].map {
                ExpectedFinding(.rowAltered, object: "account", key: id($0), columns: ["amount"], transaction: load)
            }
        case .nullToEmpty:
            steps = [.liveCell(table: "journal", key: id(3), NamedValue("message", .text("")))]
            findings = [ExpectedFinding(.rowAltered, object: "journal", key: id(3), columns: ["message"])]
        case .historyCell:
            steps = [.historyCell(table: "account", key: id(7), NamedValue("amount", .integer(70_000)))]
            findings = [
                ExpectedFinding(.rowAltered, object: try history("account"), key: id(7), columns: ["amount"])
            ]
        case .historyRowDeleted:
            steps = [.historyRowDeleted(table: "account", key: id(7))]
            findings = [ExpectedFinding(.rowMissing, key: id(7))]
        case .keyDeleted:
            steps = [
                .historyRowDeleted(table: "account", key: id(7)), .liveRowDeleted(table: "account", key: id(7)),
            ]
            // Created and ended versions of a key nothing of which is left: by transaction.
            findings = [load, payment].map { ExpectedFinding(.rowMissing, transaction: $0) }
        case .historyRowDuplicated:
            steps = [.historyRowDuplicated(table: "account", key: id(7))]
            findings = [ExpectedFinding(.rowDuplicate, key: id(7))]
        case .historyRowEnd:
            steps = [.historyRowEnd(table: "account", key: id(7), numbers[Step.rates])]
            findings = [ExpectedFinding(.versionLink, key: id(7))]
        case .transactionPrincipal:
            steps = [.transactionPrincipal(payment, "alice")]
            findings = [
                ExpectedFinding(.txAltered, columns: ["principal_name"], transaction: payment, block: BlockID(1))
            ]
        case .transactionDeleted:
            steps = [.transactionDeleted(lonely), .liveRowDeleted(table: "account", key: id(1_000_000))]
            findings = [ExpectedFinding(.txMissing, transaction: lonely)]
            consequences = [.blockAltered]
        case .transactionsSwapped:
            steps = [.transactionsSwapped(payment, payment.next)]
            findings = [payment, payment.next].map { ExpectedFinding(.txAltered, transaction: $0, block: BlockID(1)) }
            consequences = [.blockAltered]
        case .blockRoot:
            steps = [.blockRoot(BlockID(1), .zero)]
            findings = [
                ExpectedFinding(.blockAltered, columns: ["transactions_root_hash"], block: BlockID(1))
            ]
        case .ledgerCut:
            guard let first = view.blocks.last?.firstTransaction else {
                throw ConformanceError(reason: "the last block has no first transaction")
            }
            steps = [.ledgerCut(from: BlockID(2), transaction: first)]
            findings = [ExpectedFinding(.rollback, block: BlockID(2))]
            consequences = [.rowExtra, .versionLink]
        case .schemaEventName:
            steps = [.schemaEventName(table: "rate", "fate")]
            findings = [ExpectedFinding(.rowAltered, object: "ledger_schema_events", columns: ["body"])]
            consequences = [.schemaDrift]
            // The table cannot be read under a name that it does not have, and what is derived from events disagrees.
            tolerated = [.verifierBlocked, .rowMissing, .indexDivergence]
        case .captureOff:
            steps = [.captureOff(table: "account")]
            findings = [ExpectedFinding(.captureOff)]
        }
    }
}
