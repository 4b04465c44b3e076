import ArgumentParser
import Foundation
import SQLLedger

/// Where the memory of what was verified last is.
struct VerifiedStateOptions: ParsableArguments {
    @Option(
        name: .customLong("state"),
        help: ArgumentHelp(
            "What was verified last. (default $XDG_STATE_HOME/indelible/verified/LEDGER-ID.json)", valueName: "file"))
    var file: String?

    func path(ledger: String) -> String {
        if let file { return file }
        let environment = ProcessInfo.processInfo.environment
        let base: String
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            base = state
        } else {
            base = "\(environment["HOME"] ?? NSHomeDirectory())/.local/state"
        }
        return "\(base)/indelible/verified/\(ledger).json"
    }

    func load(ledger: String) throws -> VerifiedState? {
        let path = path(ledger: ledger)
        guard let state = try VerifiedState(file: path) else { return nil }
        guard state.newest.digest.ledger.hex == ledger else { throw state.isOfAnotherLedger(path) }
        return state
    }
}
