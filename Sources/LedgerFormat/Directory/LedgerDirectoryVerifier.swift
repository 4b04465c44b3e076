import LedgerProofs

/// Verifies a ledger directory from its files alone. Works offline, reads every chunk once, holds a few windows of
/// bytes in memory, and uses all cores for hashing and signatures.
public struct LedgerDirectoryVerifier: Sendable {
    public let path: String
    public var options: LedgerVerificationOptions
    /// Called with the bytes read so far and the bytes of all chunks.
    public var progress: (@Sendable (_ read: UInt64, _ total: UInt64) -> Void)?

    public init(
        path: String, options: LedgerVerificationOptions = LedgerVerificationOptions(),
        progress: (@Sendable (_ read: UInt64, _ total: UInt64) -> Void)? = nil
    ) {
        self.path = path
        self.options = options
        self.progress = progress
    }

    /// Reads the whole directory. Blocks the calling thread; takes about a second for some hundred megabytes.
    public func verify() -> LedgerVerificationReport {
        var run = Run(verifier: self)
        return run.verify()
    }
}

extension LedgerDirectoryVerifier {
    /// The state of one verification.
    private struct Run {
        let verifier: LedgerDirectoryVerifier
        var pipeline: AuditPipeline
        var total: UInt64 = 0
        var done: UInt64 = 0

        init(verifier: LedgerDirectoryVerifier) {
            self.verifier = verifier
            pipeline = AuditPipeline(options: verifier.options)
        }

        mutating func verify() -> LedgerVerificationReport {
            let listing: DirectoryListing
            do {
                listing = try DirectoryListing(path: verifier.path)
            } catch {
                findOutside(.unreadable, file: nil, "the directory cannot be read")
                pipeline.tell { $0.skipRest(of: "", next: nil, isUnread: true) }
                return pipeline.finish()
            }
            var next: SequenceNumber?
            var sawOpen: ChunkName?
            for name in chunks(listing) {
                if let open = sawOpen {
                    findOutside(
                        .openChunk, file: open.fileName, "\(name) follows this open chunk, which must be the last")
                    sawOpen = nil
                }
                if let next, name.first < next {
                    findOutside(
                        .overlap, file: name.fileName, "transactions from \(name.first) on are in an earlier chunk")
                    continue
                }
                let last = read(name)
                next = name.last?.next ?? last?.next ?? name.first
                if name.last == nil { sawOpen = name }
            }
            var report = pipeline.finish()
            report.bytesRead = done
            return report
        }

        /// The chunks to read, in order; everything else becomes a finding or a note.
        private mutating func chunks(_ listing: DirectoryListing) -> [ChunkName] {
            var names: [ChunkName] = []
            for directory in listing.directories { note("\(directory) is a directory and was not read") }
            // Not one file that could ever have been a chunk: no ledger, of which nothing can be said.
            guard listing.files.contains(where: { $0.utf8.starts(with: "ledger_".utf8) }) else {
                if !listing.files.isEmpty { note("none of its \(listing.files.count) files is a chunk") }
                return []
            }
            for file in listing.files {
                guard let name = ChunkName(fileName: file) else {
                    if verifier.options.includeOpen {
                        findOutside(.foreignFile, file: file, "the name is not that of a chunk")
                    } else {
                        note("\(file) is not a chunk and was not read")
                    }
                    continue
                }
                if name.state != .normal {
                    note("\(file) is not part of the ledger and was not read")
                } else if name.isCommitted || verifier.options.includeOpen {
                    names.append(name)
                } else {
                    note("\(file) is not committed and was not read")
                }
            }
            names.sort()
            for name in names {
                total += (try? DirectoryFile(path: path(name)).byteCount) ?? 0
            }
            return names
        }

        // What the auditor gets to know, each at its place between the entries.

        private mutating func find(
            _ code: LedgerFinding.Code, offset: UInt64? = nil, seqno: SequenceNumber? = nil, _ reason: String
        ) {
            pipeline.tell { $0.find(code, offset: offset, seqno: seqno, reason) }
        }

        private mutating func findOutside(_ code: LedgerFinding.Code, file: String?, _ reason: String) {
            pipeline.tell { $0.findOutside(code, file: file, reason) }
        }

        private mutating func note(_ text: String) { pipeline.tell { $0.note(text) } }

        private mutating func skipRest(_ name: ChunkName, isUnread: Bool = false) {
            pipeline.tell { $0.skipRest(of: name.fileName, next: name.last?.next, isUnread: isUnread) }
        }

        private mutating func tellProgress() {
            guard let progress = verifier.progress else { return }
            pipeline.tell { [done, total] _ in progress(done, total) }
        }

        private func path(_ name: ChunkName) -> String { verifier.path + "/" + name.fileName }

        /// Reads one chunk. Returns the seqno of its last entry, or `nil` when it has none.
        private mutating func read(_ name: ChunkName) -> SequenceNumber? {
            pipeline.tell { $0.beginChunk(file: name.fileName, first: name.first) }
            do {
                return try read(name, DirectoryFile(path: path(name)))
            } catch {
                find(.unreadable, error.reason)
                skipRest(name, isUnread: true)
                return name.last
            }
        }

        private mutating func read(
            _ name: ChunkName, _ file: DirectoryFile
        ) throws(DirectoryFile.Failure) -> SequenceNumber? {
            if file.byteCount >= ChunkLayout.maximumByteCount {
                find(.positions, "a chunk is smaller than 4 GiB")
            }
            let header = try file.read(count: Int(min(8, file.byteCount)), at: 0)
            var table: UInt64?
            var headerIsRead = true
            do {
                table = try ChunkLayout.tableOffset(header: header, fileByteCount: file.byteCount)
            } catch {
                headerIsRead = false
                find(error.code == .truncated ? .torn : .positions, offset: error.offset, error.rule)
                if header.count < ChunkLayout.headerByteCount {
                    skipRest(name)
                    return name.last
                }
            }
            if name.last != nil, table == nil, headerIsRead {
                find(.positions, offset: 0, "a complete chunk needs a positions table, the header says none")
            }
            var walk = Walk(first: name.first)
            let end = table ?? file.byteCount
            try walkEntries(file, end: end, &walk)
            if let table { try checkTable(file, table, walk) }
            if let count = name.entryCount, count != UInt64(walk.positions.count) {
                find(
                    .positions, "the name promises \(count) entries, the file has \(walk.positions.count)")
                skipRest(name)
            } else if walk.isBroken {
                skipRest(name)
            }
            let isComplete = table != nil
            pipeline.tell { $0.endChunk(isComplete: isComplete) }
            done += file.byteCount - min(file.byteCount, walk.position)
            tellProgress()
            let count = UInt64(walk.positions.count)
            return count == 0 ? nil : SequenceNumber(name.first.rawValue + count - 1)
        }

        /// Where the reader is in one chunk.
        private struct Walk {
            var first: SequenceNumber
            var position = UInt64(ChunkLayout.headerByteCount)
            var positions: [UInt64] = []
            var isBroken = false
        }

        private mutating func walkEntries(
            _ file: DirectoryFile, end: UInt64, _ walk: inout Walk
        ) throws(DirectoryFile.Failure) {
            done += min(walk.position, end)
            var need = 8
            while walk.position < end, !walk.isBroken {
                let wanted = max(need, verifier.options.windowByteCount)
                let count = Int(min(UInt64(wanted), end - walk.position))
                let window = pipeline.buffer(count: count)
                try window.fill(count: count, from: file, at: walk.position)
                let isLast = UInt64(count) == end - walk.position
                let start = walk.position
                let pieces = split(window.bytes, isLast: isLast, &walk, &need)
                pipeline.add(pieces, of: window, start: start)
                done += walk.position - start
                tellProgress()
                if walk.position == start, isLast, !walk.isBroken { break }
            }
        }

        /// Finds whole entries in the window. `need` becomes the size of an entry that does not fit.
        private mutating func split(
            _ window: UnsafeRawBufferPointer, isLast: Bool, _ walk: inout Walk, _ need: inout Int
        ) -> [Range<Int>] {
            var pieces: [Range<Int>] = []
            var at = 0
            let start = walk.position
            func seqno() -> SequenceNumber {
                SequenceNumber(walk.first.rawValue + UInt64(walk.positions.count))
            }
            while at < window.count {
                let rest = window.count - at
                if rest < EntryHeader.byteCount {
                    if isLast {
                        find(.torn, offset: start + UInt64(at), seqno: seqno(), "\(rest) bytes are no entry")
                        walk.isBroken = true
                    }
                    need = EntryHeader.byteCount
                    break
                }
                let word = UInt64(littleEndian: window.loadUnaligned(fromByteOffset: at, as: UInt64.self))
                let limit = verifier.options.limits.entryByteCount
                guard word >> 16 >= EntryHeader.minimumSize, word >> 16 <= limit else {
                    find(
                        .entry, offset: start + UInt64(at) + 2, seqno: seqno(),
                        "the size must be 36 to \(limit), found \(word >> 16)")
                    walk.isBroken = true
                    break
                }
                // A bad version or flag is found when the entry is decoded; its size still leads to the next one.
                let size = EntryHeader.byteCount + Int(word >> 16)
                if size > rest {
                    if isLast {
                        find(
                            .torn, offset: start + UInt64(at), seqno: seqno(),
                            "the entry has \(size) bytes, \(rest) remain")
                        walk.isBroken = true
                    }
                    need = size
                    break
                }
                walk.positions.append(start + UInt64(at))
                pieces.append(at..<at + size)
                at += size
            }
            walk.position = start + UInt64(at)
            return pieces
        }

        private mutating func checkTable(
            _ file: DirectoryFile, _ table: UInt64, _ walk: Walk
        ) throws(DirectoryFile.Failure) {
            let count = file.byteCount - table
            guard count <= UInt64(walk.positions.count) * 4 + (1 << 20) else {
                find(.positions, offset: table, "the positions table has more rows than there are entries")
                return
            }
            let bytes = try file.read(count: Int(count), at: table)
            let positions: [UInt32]
            do {
                positions = try ChunkLayout.parsePositionsTable(bytes)
            } catch {
                find(.positions, offset: table + (error.offset ?? 0), error.rule)
                return
            }
            guard positions.count == walk.positions.count else {
                find(
                    .positions, offset: table,
                    "the positions table has \(positions.count) rows for \(walk.positions.count) entries")
                return
            }
            for (i, position) in positions.enumerated() where UInt64(position) != walk.positions[i] {
                find(
                    .positions, offset: table + UInt64(i) * 4,
                    seqno: SequenceNumber(walk.first.rawValue + UInt64(i)),
                    "the table says byte \(position), the entry starts at \(walk.positions[i])")
            }
        }
    }
}
