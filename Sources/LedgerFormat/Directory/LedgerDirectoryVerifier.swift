import LedgerProofs

/// Verifies a ledger directory from its files alone. Works offline, reads every chunk once, holds one window of
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
        var auditor: LedgerAuditor
        var total: UInt64 = 0
        var done: UInt64 = 0

        init(verifier: LedgerDirectoryVerifier) {
            self.verifier = verifier
            auditor = LedgerAuditor(options: verifier.options)
        }

        mutating func verify() -> LedgerVerificationReport {
            let listing: DirectoryListing
            do {
                listing = try DirectoryListing(path: verifier.path)
            } catch {
                auditor.findOutside(.unreadable, file: nil, "the directory cannot be read")
                return auditor.finish()
            }
            var next: SequenceNumber?
            var sawOpen: ChunkName?
            for name in chunks(listing) {
                if let open = sawOpen {
                    auditor.findOutside(
                        .openChunk, file: open.fileName, "\(name) follows this open chunk, which must be the last")
                    sawOpen = nil
                }
                if let next, name.first < next {
                    auditor.findOutside(
                        .overlap, file: name.fileName, "transactions from \(name.first) on are in an earlier chunk")
                    continue
                }
                let last = read(name)
                next = name.last?.next ?? last?.next ?? name.first
                if name.last == nil { sawOpen = name }
            }
            var report = auditor.finish()
            report.bytesRead = done
            return report
        }

        /// The chunks to read, in order; everything else becomes a finding or a note.
        private mutating func chunks(_ listing: DirectoryListing) -> [ChunkName] {
            var names: [ChunkName] = []
            for directory in listing.directories where ChunkName(fileName: directory) != nil {
                auditor.note("\(directory) is a directory and was not read")
            }
            for file in listing.files {
                guard let name = ChunkName(fileName: file) else {
                    if verifier.options.includeOpen {
                        auditor.findOutside(.foreignFile, file: file, "the name is not that of a chunk")
                    } else {
                        auditor.note("\(file) is not a chunk and was not read")
                    }
                    continue
                }
                if name.state != .normal {
                    auditor.note("\(file) is not part of the ledger and was not read")
                } else if name.isCommitted || verifier.options.includeOpen {
                    names.append(name)
                } else {
                    auditor.note("\(file) is not committed and was not read")
                }
            }
            names.sort()
            for name in names {
                total += (try? DirectoryFile(path: path(name)).byteCount) ?? 0
            }
            return names
        }

        private func path(_ name: ChunkName) -> String { verifier.path + "/" + name.fileName }

        /// Reads one chunk. Returns the seqno of its last entry, or `nil` when it has none.
        private mutating func read(_ name: ChunkName) -> SequenceNumber? {
            auditor.beginChunk(file: name.fileName, first: name.first)
            do {
                return try read(name, DirectoryFile(path: path(name)))
            } catch {
                auditor.find(.unreadable, error.reason)
                auditor.skipRest(of: name.fileName, next: name.last?.next)
                return name.last
            }
        }

        private mutating func read(
            _ name: ChunkName, _ file: DirectoryFile
        ) throws(DirectoryFile.Failure) -> SequenceNumber? {
            if file.byteCount >= ChunkLayout.maximumByteCount {
                auditor.find(.positions, "a chunk is smaller than 4 GiB")
            }
            let header = try file.read(count: Int(min(8, file.byteCount)), at: 0)
            var table: UInt64?
            do {
                table = try ChunkLayout.tableOffset(header: header, fileByteCount: file.byteCount)
            } catch {
                auditor.find(error.code == .truncated ? .torn : .positions, offset: error.offset, error.rule)
                if header.count < ChunkLayout.headerByteCount {
                    auditor.skipRest(of: name.fileName, next: name.last?.next)
                    return name.last
                }
            }
            if name.last != nil, table == nil {
                auditor.find(.positions, offset: 0, "a complete chunk needs a positions table, the header says none")
            }
            var walk = Walk(first: name.first)
            let end = table ?? file.byteCount
            try walkEntries(file, end: end, &walk)
            if let table { try checkTable(file, table, walk) }
            if let count = name.entryCount, count != UInt64(walk.positions.count) {
                auditor.find(
                    .positions, "the name promises \(count) entries, the file has \(walk.positions.count)")
                auditor.skipRest(of: name.fileName, next: name.last?.next)
            } else if walk.isBroken {
                auditor.skipRest(of: name.fileName, next: name.last?.next)
            }
            auditor.endChunk(isComplete: table != nil)
            done += file.byteCount - min(file.byteCount, walk.position)
            verifier.progress?(done, total)
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
                let window = try file.read(count: Int(min(UInt64(wanted), end - walk.position)), at: walk.position)
                let isLast = UInt64(window.count) == end - walk.position
                let start = walk.position
                let pieces = split(window, isLast: isLast, &walk, &need)
                scan(window, pieces, start: start)
                done += walk.position - start
                verifier.progress?(done, total)
                if walk.position == start, isLast, !walk.isBroken { break }
            }
        }

        /// Finds whole entries in the window. `need` becomes the size of an entry that does not fit.
        private mutating func split(
            _ window: [UInt8], isLast: Bool, _ walk: inout Walk, _ need: inout Int
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
                        auditor.find(.torn, offset: start + UInt64(at), seqno: seqno(), "\(rest) bytes are no entry")
                        walk.isBroken = true
                    }
                    need = EntryHeader.byteCount
                    break
                }
                var word: UInt64 = 0
                for i in (0..<8).reversed() { word = word << 8 | UInt64(window[at + i]) }
                let limit = verifier.options.limits.entryByteCount
                guard word >> 16 >= EntryHeader.minimumSize, word >> 16 <= limit else {
                    auditor.find(
                        .entry, offset: start + UInt64(at) + 2, seqno: seqno(),
                        "the size must be 36 to \(limit), found \(word >> 16)")
                    walk.isBroken = true
                    break
                }
                // A bad version or flag is found when the entry is decoded; its size still leads to the next one.
                let size = EntryHeader.byteCount + Int(word >> 16)
                if size > rest {
                    if isLast {
                        auditor.find(
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

        /// Decodes and hashes in parallel, then feeds the auditor in order.
        private mutating func scan(_ window: [UInt8], _ pieces: [Range<Int>], start: UInt64) {
            let options = verifier.options
            // Some dozen entries for each step keep both cores busy without a cost per entry.
            let groups = stride(from: 0, to: pieces.count, by: 32).map {
                Array(pieces[$0..<min($0 + 32, pieces.count)])
            }
            let scans = Parallel.map(groups) { group in
                window.withUnsafeBytes { raw in
                    group.map {
                        EntryScan(
                            UnsafeRawBufferPointer(rebasing: raw[$0]), offset: start + UInt64($0.lowerBound),
                            options: options)
                    }
                }
            }
            for group in scans {
                for scan in group { auditor.add(scan) }
            }
        }

        private mutating func checkTable(
            _ file: DirectoryFile, _ table: UInt64, _ walk: Walk
        ) throws(DirectoryFile.Failure) {
            let count = file.byteCount - table
            guard count <= UInt64(walk.positions.count) * 4 + (1 << 20) else {
                auditor.find(.positions, offset: table, "the positions table has more rows than there are entries")
                return
            }
            let bytes = try file.read(count: Int(count), at: table)
            let positions: [UInt32]
            do {
                positions = try ChunkLayout.parsePositionsTable(bytes)
            } catch {
                auditor.find(.positions, offset: table + (error.offset ?? 0), error.rule)
                return
            }
            guard positions.count == walk.positions.count else {
                auditor.find(
                    .positions, offset: table,
                    "the positions table has \(positions.count) rows for \(walk.positions.count) entries")
                return
            }
            for (i, position) in positions.enumerated() where UInt64(position) != walk.positions[i] {
                auditor.find(
                    .positions, offset: table + UInt64(i) * 4,
                    seqno: SequenceNumber(walk.first.rawValue + UInt64(i)),
                    "the table says byte \(position), the entry starts at \(walk.positions[i])")
            }
        }
    }
}
