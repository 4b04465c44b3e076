import LedgerFormat

/// The format's own: LedgerProofs has a type of this name for the package.
typealias JSONValue = LedgerFormat.JSONValue
