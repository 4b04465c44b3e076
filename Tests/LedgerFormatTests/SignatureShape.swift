import LedgerProofs

@testable import LedgerFormat

/// How a signature transaction deviates from a proper one.
struct SignatureShape {
    var hasRaw = true
    var hasCOSE = true
    var hasTree = true
    var claims = Digest32.zero

    /// Rows beside the signature.
    var extra: (inout WriteSet) -> Void = { _ in }
    /// Changes the members of the JSON row.
    var row: (inout [String: JSONValue]) -> Void = { _ in }
    /// Replaces the raw signature.
    var raw: ((TestKey, Digest32) throws -> [UInt8])?
    var recordedRoot: Digest32?
    /// Changes the bytes of the entry before they are hashed.
    var patch: (inout [UInt8]) -> Void = { _ in }

    enum KeyID { case text, bytes, other, none }
    var keyID = KeyID.text
    var coseTransaction: String?
    /// The verifiable data structure.
    var structure: UInt8 = 2
    var hasLedgerClaim = true
    var isTagged = true
    var coseDER = false
    /// Signed by the service instead of the root.
    var coseRoot: Digest32?
    var payload: [UInt8]?
}
