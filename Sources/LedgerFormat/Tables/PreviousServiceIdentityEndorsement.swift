import LedgerProofs

/// The row of `public:ccf.internal.previous_service_identity_endorsement` (CCF ledger format 5.5).
public struct PreviousServiceIdentityEndorsement: TableRow {
    /// Tagged COSE_Sign1 whose payload is the endorsed key as DER.
    public var endorsement: [UInt8]
    /// DER of the key that signed.
    public var endorsingKey: [UInt8]
    public var epochBegin: TransactionID
    /// Absent in the self endorsement of a fresh service.
    public var epochEnd: TransactionID?
    /// The seqno of the previous row.
    public var previousVersion: SequenceNumber?

    public init(
        endorsement: [UInt8], endorsingKey: [UInt8], epochBegin: TransactionID, epochEnd: TransactionID? = nil,
        previousVersion: SequenceNumber? = nil
    ) {
        self.endorsement = endorsement
        self.endorsingKey = endorsingKey
        self.epochBegin = epochBegin
        self.epochEnd = epochEnd
        self.previousVersion = previousVersion
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "internal.previous_service_identity_endorsement")
        endorsement = try fields.base64("endorsement")
        endorsingKey = try fields.base64("endorsing_key")
        epochBegin = try fields.transaction("endorsement_epoch_begin")
        epochEnd = try fields.optionalTransaction("endorsement_epoch_end")
        previousVersion = try fields.optionalUnsigned("previous_version").map { SequenceNumber($0) }
    }

    public func encoded() -> [UInt8] {
        var object = JSONObjectBuilder()
        object.set("endorsement", base64: endorsement)
        object.set("endorsing_key", base64: endorsingKey)
        object.set("endorsement_epoch_begin", epochBegin)
        object.set("endorsement_epoch_end", epochEnd)
        object.set("previous_version", previousVersion?.rawValue)
        return object.encoded()
    }
}
