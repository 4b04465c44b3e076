import ArgumentParser
import SQLLedgerSQLite

/// `all`, `current`, or the number of a version, counted from the oldest.
struct VersionArgument: ExpressibleByArgument {
    var selection: VersionSelection

    init(_ selection: VersionSelection) { self.selection = selection }

    init?(argument: String) {
        switch argument {
        case "all": selection = .all
        case "current": selection = .current
        default:
            guard let number = Int(argument), number > 0 else { return nil }
            selection = .number(number)
        }
    }

    var defaultValueDescription: String { "current" }
}
