import LedgerAPI

/// The interface's own: LedgerProofs has types of these names for the package.
typealias JSONValue = LedgerAPI.JSONValue
typealias JSONWriter = LedgerAPI.JSONWriter
