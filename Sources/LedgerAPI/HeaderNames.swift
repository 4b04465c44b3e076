/// Names of the header fields that are the service's own, lower case as HTTP/2 wants them.
public enum HeaderNames {
    /// The id of the write, or of the state that was read (API spec A.0).
    public static let transactionID = "x-ms-ccf-transaction-id"
    /// The same for every automatic repeat of one call; the key of idempotent writes (API spec A.0, K.3).
    public static let clientRequestID = "x-ms-client-request-id"
    /// The file name of a downloaded chunk (ccf-formats 6.4).
    public static let ledgerChunkName = "x-ms-ccf-ledger-chunk-name"
    /// The file name of a downloaded snapshot (ccf-formats 6.4).
    public static let snapshotName = "x-ms-ccf-snapshot-name"
    /// Asks for `representationDigest`.
    public static let wantRepresentationDigest = "want-repr-digest"
    public static let representationDigest = "repr-digest"
}
