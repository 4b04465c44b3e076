import LedgerProofs

/// The row of `public:ccf.internal.snapshot_evidence` (CCF ledger format 1.4).
public struct SnapshotEvidence: TableRow {
    /// SHA-256 of the complete snapshot entry, without the receipt behind it.
    public var hash: Digest32
    /// The seqno of the snapshot.
    public var version: SequenceNumber

    public init(hash: Digest32, version: SequenceNumber) {
        self.hash = hash
        self.version = version
    }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        let fields = try JSONFields(bytes, row: "internal.snapshot_evidence")
        hash = try fields.digest("hash")
        version = SequenceNumber(try fields.unsigned("version"))
    }

    public func encoded() -> [UInt8] {
        var object = JSONObjectBuilder()
        object.set("hash", hash.hex)
        object.set("version", version.rawValue)
        return object.encoded()
    }
}
