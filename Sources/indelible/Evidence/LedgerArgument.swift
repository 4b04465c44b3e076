import ArgumentParser
import SQLLedger

/// The id of an SQL ledger: 32 hexadecimal digits.
struct LedgerArgument: ExpressibleByArgument {
    let ledger: LedgerID

    init?(argument: String) {
        guard let ledger = LedgerID(hex: argument.lowercased()) else { return nil }
        self.ledger = ledger
    }
}
