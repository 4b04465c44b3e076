import LedgerProofs

/// Walks over the transactions of a ledger directory. It shows what is there and proves nothing; that is what
/// `LedgerDirectoryVerifier` does.
public struct LedgerInspector: Sendable {
    public let path: String
    /// Open private domains with these.
    public var secrets = LedgerSecrets.none
    /// Show chunks that are not committed too.
    public var includeOpen = true

    public init(path: String, secrets: LedgerSecrets = .none, includeOpen: Bool = true) {
        self.path = path
        self.secrets = secrets
        self.includeOpen = includeOpen
    }

    /// Calls `body` for each transaction in order until it returns false. Throws `LedgerInspectionError` when a
    /// file cannot be read or decoded.
    public func visit(
        from first: SequenceNumber = SequenceNumber(1), _ body: (LedgerTransaction) throws -> Bool
    ) throws {
        let listing: DirectoryListing
        do {
            listing = try DirectoryListing(path: path)
        } catch {
            throw LedgerInspectionError(file: nil, reason: "the directory cannot be read")
        }
        let names = listing.files.compactMap { ChunkName(fileName: $0) }.filter {
            $0.state == .normal && ($0.isCommitted || includeOpen)
        }
        for name in names.sorted() {
            if let last = name.last, last < first { continue }
            if try !visit(name, from: first, body) { return }
        }
    }

    private func visit(
        _ name: ChunkName, from first: SequenceNumber, _ body: (LedgerTransaction) throws -> Bool
    ) throws -> Bool {
        let file = name.fileName
        var position = UInt64(ChunkLayout.headerByteCount)
        var count: UInt64 = 0
        do {
            let reader = try DirectoryFile(path: "\(path)/\(file)")
            let header = try reader.read(count: Int(min(8, reader.byteCount)), at: 0)
            let end = try ChunkLayout.tableOffset(header: header, fileByteCount: reader.byteCount) ?? reader.byteCount
            while position < end {
                let head = try reader.read(count: Int(min(8, end - position)), at: position)
                let size = try EntryHeader(decoding: head).size + UInt64(EntryHeader.byteCount)
                guard size <= end - position else {
                    throw LedgerInspectionError(file: file, offset: position, reason: "the last entry is torn")
                }
                let bytes = try reader.read(count: Int(size), at: position)
                let transaction = try self.transaction(bytes, file: file, offset: position)
                position += size
                count += 1
                if transaction.id.seqno >= first, try !body(transaction) { return false }
            }
            if let promised = name.entryCount, count != promised {
                throw LedgerInspectionError(
                    file: file, offset: position,
                    reason: "\(count) transactions end here, and the file name promises \(promised)")
            }
            return true
        } catch let error as LedgerFormatError {
            throw LedgerInspectionError(
                file: file, offset: position + (error.offset ?? 0), reason: error.rule)
        } catch let error as DirectoryFile.Failure {
            throw LedgerInspectionError(file: file, reason: error.reason)
        }
    }

    private func transaction(
        _ bytes: [UInt8], file: String, offset: UInt64
    ) throws(LedgerFormatError) -> LedgerTransaction {
        let entry = try Entry(decoding: bytes, allowDeprecated: true)
        var maps = entry.publicDomain.maps
        var state = LedgerTransaction.PrivateDomain.empty
        if !entry.sealed.ciphertext.isEmpty {
            state = .closed
            if let secret = secrets.secret(at: entry.id.seqno) {
                if let hidden = try? entry.decryptPrivate(with: secret) {
                    maps += hidden
                    state = .opened
                } else {
                    state = .wrongSecret
                }
            }
        }
        return LedgerTransaction(
            file: file, offset: offset, byteCount: UInt64(bytes.count), id: entry.id, flags: entry.flags,
            type: entry.publicDomain.type, claimsDigest: entry.publicDomain.claimsDigest,
            commitEvidenceDigest: entry.publicDomain.commitEvidenceDigest, writeSetDigest: entry.writeSetDigest,
            leaf: try? entry.leaf(), maps: maps, privateDomain: state,
            privateByteCount: UInt64(entry.sealed.ciphertext.count))
    }
}
