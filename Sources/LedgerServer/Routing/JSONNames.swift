import LedgerAPI

// LedgerProofs shares types of the same names with the package; the server means those of the interface.
typealias JSONValue = LedgerAPI.JSONValue
typealias JSONWriter = LedgerAPI.JSONWriter
