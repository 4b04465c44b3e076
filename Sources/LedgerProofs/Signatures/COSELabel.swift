/// The numbers and names in COSE root signatures and receipts (RFC 9052, RFC 9597, RFC 9942 and the ledger's own).
enum COSELabel {
    static let sign1Tag: UInt64 = 18

    // Protected header
    static let algorithm = CBOR.unsigned(1)
    static let keyID = CBOR.unsigned(4)
    static let claims = CBOR.unsigned(15)
    static let verifiableDataStructure = CBOR.unsigned(395)
    static let ledger = CBOR.text("ccf.v1")
    static let txid = CBOR.text("txid")

    // Inside the CWT claims
    static let issuer = CBOR.unsigned(1)
    static let subject = CBOR.unsigned(2)
    static let issuedAt = CBOR.unsigned(6)

    // Values
    static let ledgerTree = CBOR.unsigned(2)
    static let es256: Int64 = -7
    static let es384: Int64 = -35
    static let es512: Int64 = -36

    // Unprotected header of a receipt, and the proof in it
    static let verifiableDataProofs = CBOR.unsigned(396)
    static let inclusionProofs = CBOR.negative(0)
    static let leaf = CBOR.unsigned(1)
    static let path = CBOR.unsigned(2)
}
