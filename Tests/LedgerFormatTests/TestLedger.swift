import LedgerProofs

@testable import LedgerFormat

/// Writes small ledgers, correct ones and ones with exactly one fault. The digests are always those of the faulty
/// bytes, as if a careless node had written them.
struct TestLedger {
    /// Whose keys sign from now on.
    var identity: TestIdentity
    let secret = LedgerSecret.random()
    private(set) var entries: [[UInt8]] = []
    private var frontier = MerkleFrontier()

    private init(empty identity: TestIdentity) {
        self.identity = identity
        frontier.append(.zero)
    }

    /// Genesis with three tables, then one signature.
    init(
        _ identity: TestIdentity, genesis: (inout WriteSet) throws -> Void = { _ in },
        patch: (inout [UInt8]) -> Void = { _ in }, signature: (inout SignatureShape) -> Void = { _ in }
    ) throws {
        self.init(empty: identity)
        var writes = WriteSet()
        writes.put(
            .nodesInfo, key: Array(try identity.nodeID.utf8), value: Array("{\"status\":\"Trusted\"}".utf8))
        writes.put(
            .nodesEndorsedCertificates, key: Array(try identity.nodeID.utf8),
            value: Array(identity.nodeCertificate.utf8))
        writes.put(.serviceInfo, key: zeroKey, value: service("Opening"))
        try genesis(&writes)
        try add(writes, patch: patch)
        try sign(signature)
    }

    var next: TransactionID { TransactionID(view: .initial, seqno: SequenceNumber(UInt64(entries.count) + 1)) }

    func service(_ status: String) -> [UInt8] {
        ServiceInfo(certificate: identity.serviceCertificate, status: ServiceStatus(rawValue: status)).encoded()
    }

    mutating func add(
        _ writes: WriteSet, flags: EntryFlags = [], claims: Digest32 = .zero, patch: (inout [UInt8]) -> Void = { _ in }
    ) throws {
        let evidence = secret.commitEvidenceDigest(for: next)
        var bytes = try EntryEncoder.encode(
            writes, id: next, claimsDigest: claims, commitEvidenceDigest: evidence, flags: flags, secret: secret
        ).bytes
        patch(&bytes)
        append(bytes, leaf: SHA256Hashing.digest(SHA256Hashing.digest(bytes), evidence, claims))
    }

    /// An entry made elsewhere.
    mutating func append(_ bytes: [UInt8], leaf: Digest32) {
        entries.append(bytes)
        frontier.append(leaf)
    }

    /// The rows that make `other` the service, endorsed and trusted. It does not sign from here on.
    mutating func write(identity other: TestIdentity) throws {
        var writes = WriteSet()
        let node = Array(try other.nodeID.utf8)
        writes.put(.nodesInfo, key: node, value: Array("{\"status\":\"Trusted\"}".utf8))
        writes.put(.nodesEndorsedCertificates, key: node, value: Array(other.nodeCertificate.utf8))
        writes.put(
            .serviceInfo, key: zeroKey,
            value: ServiceInfo(certificate: other.serviceCertificate, status: .opening).encoded())
        try add(writes)
    }

    /// A transaction that writes one application row.
    mutating func addRow(patch: (inout [UInt8]) -> Void = { _ in }) throws {
        var writes = WriteSet()
        writes.put(.publicLogs, key: [1], value: [2])
        try add(writes, patch: patch)
    }

    mutating func setService(_ status: String) throws {
        var writes = WriteSet()
        writes.put(.serviceInfo, key: zeroKey, value: service(status))
        try add(writes)
    }

    mutating func sign(
        _ change: (inout SignatureShape) -> Void = { _ in }, flags: EntryFlags = []
    ) throws {
        var shape = SignatureShape()
        change(&shape)
        let root = frontier.root() ?? .zero
        let id = next
        var writes = WriteSet()
        if shape.hasRaw {
            let signature = try shape.raw?(identity.nodeKey, root) ?? identity.nodeKey.prehashed(root)
            let row = RawSignature(
                node: try identity.nodeID, id: id, root: shape.recordedRoot ?? root, signature: signature,
                certificate: identity.nodeCertificate)
            guard case .object(var members) = try JSONValue(decoding: row.encoded()) else { return }
            shape.row(&members)
            writes.put(.signatures, key: zeroKey, value: JSONValue.object(members).encoded())
        }
        if shape.hasCOSE {
            writes.put(.coseSignatures, key: zeroKey, value: JSONBytes(try cose(shape, root, id)).encoded())
        }
        if shape.hasTree {
            let leaves = try frontierLeaves()
            writes.put(.tree, key: zeroKey, value: leaves)
        }
        shape.extra(&writes)
        try add(writes, flags: flags, claims: shape.claims, patch: shape.patch)
    }

    /// The tree with nothing flushed would need all leaves; flush all but the last.
    private func frontierLeaves() throws -> [UInt8] {
        var flushed = MerkleFrontier()
        var last = Digest32.zero
        for (i, leaf) in leaves.enumerated() {
            if i + 1 < leaves.count { flushed.append(leaf) } else { last = leaf }
        }
        return SerialisedTree(flushed: flushed, leaves: [last])?.encoded() ?? []
    }

    private var leaves: [Digest32] {
        [.zero] + entries.map { bytes in (try? Entry(decoding: bytes, allowDeprecated: true).leaf()) ?? .zero }
    }

    // MARK: COSE by hand

    private func cose(_ shape: SignatureShape, _ root: Digest32, _ id: TransactionID) throws -> [UInt8] {
        var fields: [[UInt8]] = [[0x01] + identity.serviceKey.algorithm]
        let keyID = try identity.keyID
        switch shape.keyID {
        case .text: fields.append([0x04] + Self.bytes(Array(keyID.utf8)))
        case .bytes: fields.append([0x04] + Self.bytes(Hex.decode(keyID) ?? []))
        case .other: fields.append([0x04] + Self.bytes([UInt8](repeating: 0x61, count: 64)))
        case .none: break
        }
        fields.append([0x19, 0x01, 0x8B, shape.structure])
        fields.append(
            [0x0F, 0xA3, 0x06, 0x1A, 0x67, 0x74, 0x85, 0x80, 0x01] + Self.text("issuer") + [0x02]
                + Self.text("subject"))
        if shape.hasLedgerClaim {
            fields.append(
                Self.text("ccf.v1") + [0xA1] + Self.text("txid")
                    + Self.text(shape.coseTransaction ?? id.description))
        }
        let protected = [0xA0 + UInt8(fields.count)] + fields.joined()
        let signed =
            [0x84] + Self.text("Signature1") + Self.bytes(protected) + [0x40]
            + Self.bytes((shape.coseRoot ?? root).bytes)
        let signature = try identity.serviceKey.hashed(signed)
        return (shape.isTagged ? [0xD2] : []) + [0x84] + Self.bytes(protected) + [0xA0]
            + (shape.payload.map { Self.bytes($0) } ?? [0xF6])
            + Self.bytes(shape.coseDER ? signature.der : signature.raw)
    }

    private static func head(_ major: UInt8, _ count: Int) -> [UInt8] {
        count < 24 ? [major << 5 | UInt8(count)] : [major << 5 | 24, UInt8(count)]
    }
    private static func bytes(_ bytes: [UInt8]) -> [UInt8] { head(2, bytes.count) + bytes }
    private static func text(_ text: String) -> [UInt8] { head(3, text.utf8.count) + Array(text.utf8) }

    // MARK: Files

    /// The bytes of a chunk with the entries of a range of seqnos.
    func chunk(_ range: ClosedRange<Int>, isComplete: Bool = true) -> [UInt8] {
        var positions: [UInt32] = []
        var bytes = ChunkLayout.header(tableOffset: 0)
        for entry in entries[range.lowerBound - 1...range.upperBound - 1] {
            positions.append(UInt32(bytes.count))
            bytes += entry
        }
        if isComplete {
            bytes.replace(at: 0, littleEndian: UInt64(bytes.count))
            bytes += ChunkLayout.positionsTable(positions)
        }
        return bytes
    }
}
