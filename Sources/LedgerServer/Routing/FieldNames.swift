import HTTPTypes
import LedgerAPI

/// Field names that HTTPTypes does not know, made once.
enum FieldNames {
    static let transactionID = name(HeaderNames.transactionID)
    static let host = name("host")
    static let clientRequestID = name(HeaderNames.clientRequestID)
    static let chunkName = name(HeaderNames.ledgerChunkName)
    static let snapshotName = name(HeaderNames.snapshotName)
    static let wantDigest = name(HeaderNames.wantRepresentationDigest)
    static let digest = name(HeaderNames.representationDigest)

    private static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no header name") }
        return name
    }
}
