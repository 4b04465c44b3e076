import Foundation
import LedgerFormat
import LedgerProofs
import Logging
import Testing

@testable import LedgerNode

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
let alice = Identity(userID: "alice", method: .certificate)

func configuration(
    _ directory: TemporaryDirectory, type: NodeConfiguration.LedgerType? = nil,
    _ change: (inout NodeConfiguration) -> Void = { _ in }
) -> NodeConfiguration {
    var configuration = NodeConfiguration(directory: directory.data())
    configuration.ledgerType = type
    change(&configuration)
    return configuration
}

/// Checks the receipt of `id` against the pinned service certificate and the entry it should be for.
func expectReceipt(
    _ ledger: Ledger, _ id: TransactionID, contents: String, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let document = try await ledger.receipt(for: id)
    let verifier = try ReceiptVerifier(serviceCertificatePEM: ledger.information.serviceCertificatePEM)
    guard case .verified(let receipt) = verifier.verify(document.receipt, claims: document.applicationClaims) else {
        Issue.record("receipt of \(id) does not verify", sourceLocation: sourceLocation)
        return
    }
    #expect(receipt.transactionID == id, sourceLocation: sourceLocation)
    guard case .ledgerEntry(_, let claimed, _) = document.applicationClaims.first else {
        Issue.record("no claim", sourceLocation: sourceLocation)
        return
    }
    #expect(claimed == contents, sourceLocation: sourceLocation)
}

@Suite struct LedgerTests {
    @Test(arguments: NodeConfiguration.LedgerType.allCases)
    func appendedEntriesAreReadableProvableAndSurviveRestart(_ type: NodeConfiguration.LedgerType) async throws {
        let directory = TemporaryDirectory()
        var ids: [TransactionID] = []
        var ledger = try await Ledger.open(configuration(directory, type: type), logger: quiet)
        for number in 0..<50 {
            let outcome = try await ledger.append(
                AppendRequest(contents: "entry \(number) \"quoted\" \u{1}", tags: ["t\(number % 3)"], author: alice))
            #expect(outcome.isCommitted)
            ids.append(outcome.transactionID)
        }
        for (number, id) in ids.enumerated() {
            let entry = try await ledger.entry(id, collectionID: nil)
            #expect(entry?.contents == "entry \(number) \"quoted\" \u{1}")
            try await expectReceipt(ledger, id, contents: "entry \(number) \"quoted\" \u{1}")
        }
        await ledger.close()

        ledger = try await Ledger.open(configuration(directory, type: type), logger: quiet)
        #expect(ledger.committed.seqno == SequenceNumber(ids.last!.seqno.rawValue + 1))
        let outcome = try await ledger.append(AppendRequest(contents: "later", author: alice))
        #expect(outcome.transactionID.view > ids[0].view)
        for (number, id) in ids.enumerated() {
            try await expectReceipt(ledger, id, contents: "entry \(number) \"quoted\" \u{1}")
            _ = try await ledger.coseReceipt(for: id)
        }
        var query = EntryQuery()
        query.tag = "t1"
        let page = try await ledger.entries(query)
        #expect(page.entries.count == 17)
        await ledger.close()
    }
}
