import LedgerProofs

/// The digest of a ledger at the end of a block: the few hundred bytes to be kept where nobody who can change the
/// database can change them.
///
/// Documentation/spec/sql-digest.md
public struct LedgerDigest: Hashable, Sendable {
    /// The newest block that the digest covers; it covers all before it too.
    public var block: BlockID
    public var databaseName: String
    public var digestTime: CommitTime
    /// The hash of `block`.
    public var hash: Digest32
    /// The commit time of the block's last transaction.
    public var lastTransactionCommitTime: CommitTime
    public var ledger: LedgerID

    /// The value of the member `format`.
    public static let format = "indelible/digest/1"

    /// No digest is larger.
    public static let maximumByteCount = 1 << 16

    private static let members: Set<String> = [
        "block_count", "block_id", "database_name", "digest_time", "format", "hash", "last_transaction_commit_time",
        "ledger_id",
    ]

    public init(
        block: BlockID, databaseName: String, digestTime: CommitTime, hash: Digest32,
        lastTransactionCommitTime: CommitTime, ledger: LedgerID
    ) {
        self.block = block
        self.databaseName = databaseName
        self.digestTime = digestTime
        self.hash = hash
        self.lastTransactionCommitTime = lastTransactionCommitTime
        self.ledger = ledger
    }

    /// The digest of `block`, made at `digestTime`, but no earlier than what it covers: a clock may have been put back since.
    public init(
        of block: Block, databaseName: String, digestTime: CommitTime = .now(), lastTransactionCommitTime: CommitTime
    ) {
        self.init(
            block: block.id, databaseName: databaseName,
            digestTime: max(digestTime, block.closeTime, lastTransactionCommitTime), hash: block.hash,
            lastTransactionCommitTime: lastTransactionCommitTime, ledger: block.ledger)
    }

    /// Reads exactly one digest. Members may be in any order and spaces anywhere.
    /// - Throws: `ProofError` whose reason names the rule that is broken.
    public init(json: String) throws(ProofError) {
        try self.init(json: Array(json.utf8))
    }

    /// Reads exactly one digest. Members may be in any order and spaces anywhere.
    /// - Throws: `ProofError` whose reason names the rule that is broken.
    public init(json bytes: [UInt8]) throws(ProofError) {
        let limits = DecodingLimits(maximumByteCount: Self.maximumByteCount, maximumDepth: 2, maximumItemCount: 16)
        try self.init(JSONValue(json: bytes, limits: limits))
    }

    package init(_ value: JSONValue) throws(ProofError) {
        let object = try StrictObject(value, "the digest", members: Self.members)
        guard try object.string("format") == Self.format else {
            throw .unsupported("format of the digest is not \(Self.format)")
        }
        block = BlockID(try object.integer("block_id"))
        guard try object.integer("block_count") == block.rawValue + 1 else {
            throw .invalid("block_count of the digest is not block_id + 1")
        }
        databaseName = try object.string("database_name")
        digestTime = try object.time("digest_time")
        lastTransactionCommitTime = try object.time("last_transaction_commit_time")
        ledger = try object.ledgerID("ledger_id")
        let text = try object.string("hash")
        guard text.hasPrefix("0x"), let hash = Digest32(hex: text.dropFirst(2)), Self.text(of: hash) == text else {
            throw .invalid("hash of the digest is not 0x and 64 upper-case hexadecimal digits")
        }
        self.hash = hash
    }

    /// The digest in its only written form.
    public var json: String { String(decoding: jsonValue.canonicalBytes(), as: UTF8.self) }

    package var jsonValue: JSONValue {
        .object([
            "block_count": .integer(block.rawValue + 1), "block_id": .integer(block.rawValue),
            "database_name": .string(databaseName), "digest_time": .string(digestTime.description),
            "format": .string(Self.format), "hash": .string(Self.text(of: hash)),
            "last_transaction_commit_time": .string(lastTransactionCommitTime.description),
            "ledger_id": .string(ledger.hex),
        ])
    }

    /// Two spellings of one name are two digests.
    public static func == (a: LedgerDigest, b: LedgerDigest) -> Bool {
        a.block == b.block && a.databaseName.exact == b.databaseName.exact && a.digestTime == b.digestTime
            && a.hash == b.hash && a.lastTransactionCommitTime == b.lastTransactionCommitTime && a.ledger == b.ledger
    }

    private static func text(of hash: Digest32) -> String { "0x" + hash.hex.uppercased() }
}
