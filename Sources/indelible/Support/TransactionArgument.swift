import ArgumentParser
import LedgerProofs

/// A transaction id on the command line.
struct TransactionArgument: ExpressibleByArgument {
    var id: TransactionID

    init?(argument: String) {
        guard let id = TransactionID(argument) else { return nil }
        self.id = id
    }
}
