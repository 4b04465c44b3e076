import Foundation
import LedgerProofs
import Testing

@testable import LedgerFormat

@Suite struct InspectorTests {
    func all(_ secrets: LedgerSecrets = .none) throws -> [LedgerTransaction] {
        var result: [LedgerTransaction] = []
        try LedgerInspector(path: Vectors.directory.appending(path: "ledger").path, secrets: secrets).visit {
            result.append($0)
            return true
        }
        return result
    }

    @Test func everyTransactionIsShown() throws {
        let closed = try all()
        #expect(closed.map(\.id.seqno.rawValue) == Array(1...32))
        #expect(closed.filter(\.isSignature).map(\.id.seqno.rawValue) == [2, 6, 10, 15, 20, 26, 31])
        #expect(closed[11].privateDomain == .closed)
        #expect(!closed[11].text(withValues: true).contains("secret value"))
        let opened = try all(try Vectors.secrets())
        #expect(opened[11].privateDomain == .opened)
        #expect(opened[11].text(withValues: true).contains("secret-key = secret value"))
        #expect(opened[11].json(withValues: true)["maps"][0]["writes"][0]["value"].text == "secret value")
        #expect(try all(LedgerSecrets(.random()))[11].privateDomain == .wrongSecret)
    }

    @Test func stopsAndStartsWhereAsked() throws {
        var seen: [UInt64] = []
        try LedgerInspector(path: Vectors.directory.appending(path: "ledger").path).visit(from: SequenceNumber(15)) {
            seen.append($0.id.seqno.rawValue)
            return seen.count < 8
        }
        #expect(seen == Array(15...22))
    }

    @Test func terminalControlIsNotPrinted() {
        #expect(LedgerTransaction.printable(Array("a\u{1B}[2J".utf8)) == "0x611b5b324a")
        #expect(LedgerTransaction.printable(Array("ä\u{202E}".utf8)).hasPrefix("0x"))
        #expect(LedgerTransaction.printable(Array("Größe".utf8)) == "Größe")
    }
}
