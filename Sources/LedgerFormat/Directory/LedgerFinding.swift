import LedgerProofs

/// One problem in a ledger, with its place.
public struct LedgerFinding: Hashable, Sendable {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        private init(_ description: String) { self.description = description }

        /// A file or directory could not be read. Nothing is known about its content.
        public static let unreadable = Code("unreadable")
        /// A file that is not a chunk.
        public static let foreignFile = Code("foreignFile")
        /// Transactions are missing between two chunks, or before the first.
        public static let gap = Code("gap")
        /// Two chunks hold the same transactions.
        public static let overlap = Code("overlap")
        /// An open chunk is not the last one, or there are several.
        public static let openChunk = Code("openChunk")
        /// The header word or the positions table does not fit the entries or the file name.
        public static let positions = Code("positions")
        /// The bytes end inside an entry, or there is no room for the chunk header.
        public static let torn = Code("torn")
        /// An entry breaks a rule of the format.
        public static let entry = Code("entry")
        /// An entry has another seqno than its place says.
        public static let seqno = Code("seqno")
        /// The view went back.
        public static let view = Code("view")
        /// A chunk flag stands on an entry where no chunk ends.
        public static let chunkFlag = Code("chunkFlag")
        /// A row of a built-in table cannot be read or may not be removed.
        public static let table = Code("table")
        /// The service may not change to this status.
        public static let serviceStatus = Code("serviceStatus")
        /// The certificate of the service cannot be used, or is not the expected one.
        public static let serviceCertificate = Code("serviceCertificate")
        /// The signing node is not known, not trusted, or its certificate is missing or not endorsed.
        public static let node = Code("node")
        /// The recorded root is not the root of the transactions.
        public static let root = Code("root")
        /// A raw signature does not verify.
        public static let rawSignature = Code("rawSignature")
        /// A COSE signature does not verify.
        public static let coseSignature = Code("coseSignature")
        /// The recorded tree is not the tree of the transactions.
        public static let tree = Code("tree")
        /// A GCM tag does not fit the ledger secret.
        public static let authentication = Code("authentication")
        /// The commit evidence digest does not follow from the ledger secret.
        public static let commitEvidence = Code("commitEvidence")
        /// A transaction with a receipt is missing, different or not signed.
        public static let receipt = Code("receipt")
    }

    public var code: Code
    /// The file name, or `nil` for a problem of the whole directory.
    public var file: String?
    /// Bytes from the start of the file.
    public var offset: UInt64?
    public var seqno: SequenceNumber?
    public var reason: String

    init(_ code: Code, file: String? = nil, offset: UInt64? = nil, seqno: SequenceNumber? = nil, _ reason: String) {
        self.code = code
        self.file = file
        self.offset = offset
        self.seqno = seqno
        self.reason = reason
    }
}

extension LedgerFinding: CustomStringConvertible {
    public var description: String {
        var text = "\(code)"
        if let file { text += " in \(file)" }
        if let offset { text += " at byte \(offset)" }
        if let seqno { text += " (seqno \(seqno))" }
        return "\(text): \(reason)"
    }
}
