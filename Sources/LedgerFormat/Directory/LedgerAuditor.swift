import LedgerProofs

/// The rules of a ledger as a state machine: entries in, findings out. It reads no files.
///
/// Feed chunks in the order of their seqnos: `beginChunk`, `add` for every entry, `endChunk`; at the end
/// `finish`. Every rule of CCF's own tool is checked, and more (Documentation/spec/ledger-directory.md).
public struct LedgerAuditor: Sendable {
    public let options: LedgerVerificationOptions
    private(set) var report = LedgerVerificationReport()
    private var findingCount: UInt64 = 0

    private var file = ""
    private var expected = SequenceNumber(1)
    private var view = View(0)
    private var frontier = MerkleFrontier()
    /// False after something unreadable: from there on no root can be computed.
    private var treeIsKnown = true
    private var treeWasLostNoted = false
    private var chunkEnds: (seqno: SequenceNumber, offset: UInt64)?
    private var isFirstOfChunk = true
    private var lastWasSignature = false

    private var nodes: [String: NodeStatus] = [:]
    private var nodeCertificates: [String: String] = [:]
    private var uncheckedCertificates: [(node: String, pem: String, seqno: SequenceNumber, offset: UInt64)] = []
    private var service: ServiceInfo?
    private var serviceKey: SigningPublicKey?
    private var keys: [String: SigningPublicKey] = [:]
    private var identityChanges: [TransactionID] = []

    private var jobs: [SignatureJob] = []
    private var pendingSignatures: [(id: TransactionID, isFine: Bool, findingsBefore: UInt64, jobCount: Int)] = []
    private var lastSignature: TransactionID?
    private var firstFindingSeqno: SequenceNumber?

    private var leafAnchors: [SequenceNumber: [(id: TransactionID, leaf: Digest32)]] = [:]
    private var rootAnchors: Set<Digest32> = []
    private var withoutSecret: UInt64 = 0

    public init(options: LedgerVerificationOptions = LedgerVerificationOptions()) {
        self.options = options
        frontier.append(.zero)
        for anchor in options.expectedReceipts {
            switch anchor {
            case .leaf(let id, let leaf): leafAnchors[id.seqno, default: []].append((id, leaf))
            case .signedRoot(let root): rootAnchors.insert(root)
            }
        }
    }

    // MARK: Chunks

    /// A chunk starts. Requires the seqno of its first entry, as its name says.
    public mutating func beginChunk(file: String, first: SequenceNumber) {
        self.file = file
        isFirstOfChunk = true
        chunkEnds = nil
        report.chunks += 1
        if first != expected {
            if first > expected {
                find(.gap, seqno: expected, "transactions \(expected) to \(first.rawValue - 1) are missing")
            } else {
                find(.overlap, seqno: first, "the chunk starts at \(first), \(expected) is next")
            }
            expected = first
            loseTree()
        }
    }

    /// One whole entry at `offset` of the current chunk.
    public mutating func add(entry bytes: [UInt8], offset: UInt64) {
        let options = options
        add(bytes.withUnsafeBytes { EntryScan($0, offset: offset, options: options) })
    }

    /// The entries of the chunk are over. For a complete chunk, not the open one.
    public mutating func endChunk(isComplete: Bool) {
        if isComplete, !isFirstOfChunk, !lastWasSignature {
            note("\(file) does not end on a signature transaction")
        }
        verifyJobs(atLeast: 64)
    }

    /// Something in the current chunk could not be read: what follows has no known root.
    mutating func skipRest(of file: String, next: SequenceNumber?) {
        loseTree()
        if let next { expected = next }
    }

    // MARK: Findings

    mutating func find(
        _ code: LedgerFinding.Code, file: String? = nil, offset: UInt64? = nil, seqno: SequenceNumber? = nil,
        _ reason: String
    ) {
        add(
            LedgerFinding(
                code, file: file ?? (self.file.isEmpty ? nil : self.file), offset: offset, seqno: seqno, reason))
    }

    private mutating func add(_ finding: LedgerFinding) {
        findingCount += 1
        if report.findings.count < options.maximumFindings {
            report.findings.append(finding)
        } else {
            report.findingsLeftOff += 1
        }
    }

    /// A problem of the directory, found before any chunk is read.
    mutating func findOutside(_ code: LedgerFinding.Code, file: String?, _ reason: String) {
        add(LedgerFinding(code, file: file, reason))
    }

    mutating func note(_ text: String) { report.notes.append(text) }

    private mutating func loseTree() {
        treeIsKnown = false
    }

    // MARK: Entries

    mutating func add(_ scan: EntryScan) {
        let before = findingCount
        report.transactions += 1
        let seqno = expected
        expected = expected.next
        lastWasSignature = false
        defer { isFirstOfChunk = false }

        if let problem = scan.problem {
            find(.entry, offset: scan.offset + (problem.offset ?? 0), seqno: seqno, problem.description)
            loseTree()
            return
        }
        if scan.id.seqno != seqno {
            find(.seqno, offset: scan.offset, seqno: seqno, "the entry says \(scan.id.seqno)")
        }
        if scan.id.view < view {
            find(.view, offset: scan.offset, seqno: seqno, "view \(scan.id.view) follows view \(view)")
        }
        view = max(view, scan.id.view)
        report.lastTransaction = scan.id
        checkSecret(scan, seqno)
        checkFlags(scan, seqno)
        applyTables(scan)
        let isSignature = checkSignatures(scan, findingsBefore: before)
        if scan.flags.contains(.endChunkAfter), !isSignature {
            find(
                .chunkFlag, offset: scan.offset + 1, seqno: seqno,
                "the flag that ends a chunk stands only on signature transactions")
        }
        lastWasSignature = isSignature
        report.unsignedTail = isSignature ? 0 : report.unsignedTail + 1

        if let leaf = scan.leaf {
            checkAnchors(leaf, scan)
            frontier.append(leaf)
        } else {
            find(.entry, offset: scan.offset, seqno: seqno, "this entry type has no Merkle leaf")
            loseTree()
        }
        if jobs.count >= 256 { verifyJobs(atLeast: 0) }
    }

    private mutating func checkSecret(_ scan: EntryScan, _ seqno: SequenceNumber) {
        guard scan.secretKnown else {
            withoutSecret += 1
            return
        }
        if let problem = scan.authenticationProblem {
            find(.authentication, offset: scan.offset + 8, seqno: seqno, problem.rule)
        }
        if scan.hasWrongCommitEvidence {
            find(
                .commitEvidence, offset: scan.offset, seqno: seqno,
                "the commit evidence digest does not follow from the ledger secret")
        }
    }

    private mutating func checkFlags(_ scan: EntryScan, _ seqno: SequenceNumber) {
        if let end = chunkEnds {
            find(
                .chunkFlag, offset: end.offset + 1, seqno: end.seqno,
                "the entry ends its chunk, yet another entry follows it in the file")
        }
        chunkEnds = scan.flags.contains(.endChunkAfter) ? (seqno, scan.offset) : nil
        if scan.flags.contains(.endChunkBefore), !isFirstOfChunk {
            find(
                .chunkFlag, offset: scan.offset + 1, seqno: seqno,
                "the entry starts a chunk, yet another entry stands before it in the file")
        }
    }

    private mutating func checkAnchors(_ leaf: Digest32, _ scan: EntryScan) {
        guard !leafAnchors.isEmpty, let anchors = leafAnchors.removeValue(forKey: expectedSeqno(scan)) else { return }
        for anchor in anchors where anchor.leaf != leaf || anchor.id != scan.id {
            find(
                .receipt, offset: scan.offset, seqno: scan.id.seqno,
                "a receipt exists for another transaction \(anchor.id) than the one in the ledger")
        }
    }

    private func expectedSeqno(_ scan: EntryScan) -> SequenceNumber { SequenceNumber(expected.rawValue - 1) }

    // MARK: Tables

    private mutating func applyTables(_ scan: EntryScan) {
        // The service first: certificates written together with a new identity are endorsed by it.
        for map in scan.maps where map.name == .serviceInfo { applyService(map, scan) }
        for map in scan.maps where map.name == .nodesInfo { applyNodes(map, scan) }
        for map in scan.maps where map.name == .nodesEndorsedCertificates { applyCertificates(map, scan) }
    }

    private mutating func applyService(_ map: MapWrites, _ scan: EntryScan) {
        if !map.removes.isEmpty {
            find(.table, offset: scan.offset, seqno: scan.id.seqno, "the row of service.info must not be removed")
        }
        for write in map.writes {
            guard write.key == zeroKey else {
                find(.table, offset: scan.offset, seqno: scan.id.seqno, "service.info has one row, with key zero")
                continue
            }
            let info: ServiceInfo
            do {
                info = try ServiceInfo(decoding: write.value)
            } catch {
                find(.table, offset: scan.offset, seqno: scan.id.seqno, error.description)
                continue
            }
            if let old = service?.status, !old.mayBecome(info.status) {
                find(
                    .serviceStatus, offset: scan.offset, seqno: scan.id.seqno,
                    "the service may not go from \(old) to \(info.status)")
            }
            do {
                let key = try key(certificatePEM: info.certificate)
                if let serviceKey, serviceKey != key { identityChanges.append(scan.id) }
                serviceKey = key
            } catch {
                serviceKey = nil
                find(
                    .serviceCertificate, offset: scan.offset, seqno: scan.id.seqno,
                    "the service certificate cannot be used: \(error.reason)")
            }
            service = info
            let waiting = uncheckedCertificates
            uncheckedCertificates = []
            for item in waiting { checkEndorsement(item.node, item.pem, item.seqno, item.offset) }
        }
    }

    private mutating func applyNodes(_ map: MapWrites, _ scan: EntryScan) {
        for key in map.removes where nodes.removeValue(forKey: String(decoding: key, as: UTF8.self)) == nil {
            find(.table, offset: scan.offset, seqno: scan.id.seqno, "a row of nodes.info is removed that is not there")
        }
        for write in map.writes {
            do {
                nodes[String(decoding: write.key, as: UTF8.self)] = try NodeInfo(decoding: write.value).status
            } catch {
                nodes.removeValue(forKey: String(decoding: write.key, as: UTF8.self))
                find(.table, offset: scan.offset, seqno: scan.id.seqno, error.description)
            }
        }
    }

    private mutating func applyCertificates(_ map: MapWrites, _ scan: EntryScan) {
        for key in map.removes { nodeCertificates.removeValue(forKey: String(decoding: key, as: UTF8.self)) }
        for write in map.writes {
            let node = String(decoding: write.key, as: UTF8.self)
            guard let pem = String(validating: write.value, as: UTF8.self) else {
                find(.table, offset: scan.offset, seqno: scan.id.seqno, "a node certificate is not text")
                continue
            }
            nodeCertificates[node] = pem
            checkEndorsement(node, pem, scan.id.seqno, scan.offset)
        }
    }

    /// A node certificate must be for the node's own key and signed by the service key of its time.
    private mutating func checkEndorsement(_ node: String, _ pem: String, _ seqno: SequenceNumber, _ offset: UInt64) {
        do {
            let nodeKey = try key(certificatePEM: pem)
            guard nodeKey.nodeID == node else {
                find(.node, offset: offset, seqno: seqno, "the certificate of node \(node) is for another key")
                return
            }
        } catch {
            find(.node, offset: offset, seqno: seqno, "the certificate of node \(node) cannot be used: \(error.reason)")
            return
        }
        guard let serviceKey else {
            if service == nil { uncheckedCertificates.append((node, pem, seqno, offset)) }
            return
        }
        if let finding = CertificateEndorsement.verify(certificatePEM: pem, issuer: serviceKey).findings.first {
            find(.node, offset: offset, seqno: seqno, "node \(node): \(finding.reason)")
        }
    }

    private mutating func key(certificatePEM pem: String) throws(ProofError) -> SigningPublicKey {
        if let key = keys[pem] { return key }
        let key = try SigningPublicKey(certificatePEM: pem)
        if keys.count >= 1024 { keys.removeAll() }
        keys[pem] = key
        return key
    }

    // MARK: Signatures

    /// Returns whether this is a signature transaction.
    private mutating func checkSignatures(_ scan: EntryScan, findingsBefore: UInt64) -> Bool {
        let raws = scan.maps.filter { $0.name == .signatures }.flatMap(\.writes)
        let coses = scan.maps.filter { $0.name == .coseSignatures }.flatMap(\.writes)
        for map in scan.maps where map.name == .signatures || map.name == .coseSignatures || map.name == .tree {
            if !map.removes.isEmpty || map.writes.contains(where: { $0.key != zeroKey }) || map.writes.count > 1 {
                find(.table, offset: scan.offset, seqno: scan.id.seqno, "\(map.name) has one row, with key zero")
            }
        }
        let trees = scan.maps.filter { $0.name == .tree }.flatMap(\.writes)
        guard !raws.isEmpty || !coses.isEmpty else {
            for tree in trees { checkTree(tree.value, scan) }
            return false
        }
        report.rawSignatures += UInt64(raws.count)
        report.coseSignatures += UInt64(coses.count)
        let jobsBefore = jobs.count
        guard treeIsKnown, let root = frontier.root() else {
            if !treeWasLostNoted {
                note("roots from \(scan.id) on were not checked, because transactions before it are missing or unreadable")
                treeWasLostNoted = true
            }
            lastSignature = scan.id
            return true
        }
        for row in raws { checkRaw(row.value, root, scan, findingsBefore) }
        for row in coses { checkCOSE(row.value, root, scan, findingsBefore) }
        for tree in trees { checkTree(tree.value, scan) }
        rootAnchors.remove(root)
        lastSignature = scan.id
        pendingSignatures.append(
            (scan.id, findingCount == findingsBefore, findingsBefore, jobs.count - jobsBefore))
        return true
    }

    private mutating func checkRaw(_ value: [UInt8], _ root: Digest32, _ scan: EntryScan, _ before: UInt64) {
        let at = (offset: scan.offset, seqno: scan.id.seqno)
        let row: RawSignature
        do {
            row = try RawSignature(decoding: value)
        } catch {
            find(.rawSignature, offset: at.offset, seqno: at.seqno, error.description)
            return
        }
        if row.id != scan.id {
            find(.rawSignature, offset: at.offset, seqno: at.seqno, "the signature says it is transaction \(row.id)")
        }
        if row.root != root {
            find(.root, offset: at.offset, seqno: at.seqno, "recorded root \(row.root), computed root \(root)")
        }
        switch nodes[row.node] {
        case nil: find(.node, offset: at.offset, seqno: at.seqno, "node \(row.node) is not in nodes.info")
        case .pending: find(.node, offset: at.offset, seqno: at.seqno, "node \(row.node) is pending, not trusted")
        case .trusted, .retired: break
        }
        guard let pem = nodeCertificates[row.node] else {
            find(.node, offset: at.offset, seqno: at.seqno, "node \(row.node) has no endorsed certificate")
            return
        }
        do {
            let nodeKey = try key(certificatePEM: pem)
            if let own = row.certificate, try key(certificatePEM: own) != nodeKey {
                find(.node, offset: at.offset, seqno: at.seqno, "the signature names another certificate")
            }
            jobs.append(
                SignatureJob(
                    kind: .raw(der: row.signature), root: root, key: nodeKey, file: file, offset: at.offset,
                    id: scan.id, findingsBefore: before))
        } catch {
            find(.node, offset: at.offset, seqno: at.seqno, "a node certificate cannot be used: \(error.reason)")
        }
    }

    private mutating func checkCOSE(_ value: [UInt8], _ root: Digest32, _ scan: EntryScan, _ before: UInt64) {
        let at = (offset: scan.offset, seqno: scan.id.seqno)
        guard let serviceKey else {
            find(.coseSignature, offset: at.offset, seqno: at.seqno, "no usable service certificate is known")
            return
        }
        let bytes: [UInt8]
        do {
            bytes = try JSONBytes(decoding: value).bytes
        } catch {
            find(.coseSignature, offset: at.offset, seqno: at.seqno, error.description)
            return
        }
        do {
            let signature = try COSERootSignature(cose: bytes)
            if signature.txid != scan.id {
                find(.coseSignature, offset: at.offset, seqno: at.seqno, "it says it is transaction \(signature.txid)")
            }
            jobs.append(
                SignatureJob(
                    kind: .cose(signature), root: root, key: serviceKey, file: file, offset: at.offset, id: scan.id,
                    findingsBefore: before))
        } catch {
            find(.coseSignature, offset: at.offset, seqno: at.seqno, error.description)
        }
    }

    private mutating func checkTree(_ value: [UInt8], _ scan: EntryScan) {
        guard treeIsKnown else { return }
        do {
            let tree = try SerialisedTree(decoding: value)
            if tree.size != frontier.size || tree.frontier() != frontier {
                find(
                    .tree, offset: scan.offset, seqno: scan.id.seqno,
                    "the recorded tree of \(tree.size) leaves is not the tree of the transactions")
            }
        } catch {
            find(.tree, offset: scan.offset, seqno: scan.id.seqno, error.reason)
        }
    }

    /// Checks what is queued when there is enough of it to keep all cores busy.
    mutating func verifyJobs(atLeast minimum: Int) {
        guard !pendingSignatures.isEmpty, jobs.count >= minimum else { return }
        let results = Parallel.map(jobs) { $0.finding() }
        var next = 0
        for signature in pendingSignatures {
            var isFine = signature.isFine && signature.jobCount > 0
            for finding in results[next..<next + signature.jobCount] {
                guard let finding else { continue }
                isFine = false
                add(finding)
            }
            next += signature.jobCount
            if isFine {
                report.verifiedSignatureTransactions += 1
                if signature.findingsBefore == 0, firstFindingSeqno == nil { report.verifiedTo = signature.id }
            } else if firstFindingSeqno == nil {
                firstFindingSeqno = signature.id.seqno
            }
        }
        jobs.removeAll(keepingCapacity: true)
        pendingSignatures.removeAll(keepingCapacity: true)
    }

    // MARK: End

    /// The report. Nothing may be added afterwards.
    public mutating func finish() -> LedgerVerificationReport {
        verifyJobs(atLeast: 0)
        file = ""
        for seqno in leafAnchors.keys.sorted() {
            for anchor in leafAnchors[seqno] ?? [] {
                find(.receipt, seqno: seqno, "a receipt exists for transaction \(anchor.id), the ledger has no such")
            }
        }
        for anchor in options.expectedReceipts {
            if case .leaf(let id, _) = anchor, leafAnchors[id.seqno] == nil,
                id.seqno >= lastSignature?.seqno ?? .zero, id != lastSignature
            {
                find(.receipt, seqno: id.seqno, "a receipt exists for \(id), but no signature covers it in the ledger")
            }
        }
        for root in rootAnchors.map(\.hex).sorted() {
            find(.receipt, "a receipt exists for the signed root \(root), the ledger has no such signature")
        }
        checkService()
        addNotes()
        let onlyUnreadable = report.findings.allSatisfy { $0.code == .unreadable }
        if findingCount > 0 {
            report.outcome = onlyUnreadable ? .unableToTell : .failed
        } else {
            report.outcome = report.verifiedTo == nil ? .unableToTell : .ok
        }
        return report
    }

    private mutating func checkService() {
        report.serviceStatus = service?.status.rawValue
        report.serviceCertificatePEM = service?.certificate
        report.serviceKeyID = serviceKey?.nodeID
        if let pem = service?.certificate {
            report.serviceCertificateFingerprint = CertificateEndorsement.fingerprint(certificatePEM: pem)?.hex
        }
        guard let expectedPEM = options.expectedServiceCertificatePEM else {
            note("the service certificate was not compared with one you trust")
            return
        }
        do {
            let expectedKey = try key(certificatePEM: expectedPEM)
            guard let serviceKey else {
                find(.serviceCertificate, "the ledger has no service certificate to compare with the expected one")
                return
            }
            if expectedKey != serviceKey {
                let changed = identityChanges.last.map { "; the identity last changed at \($0)" } ?? ""
                find(
                    .serviceCertificate,
                    "the newest service key of the ledger, \(serviceKey.nodeID), is not the expected one\(changed)")
            }
        } catch {
            find(.serviceCertificate, "the expected service certificate cannot be used: \(error.reason)")
        }
    }

    private mutating func addNotes() {
        if report.transactions == 0 { note("the ledger has no transactions") }
        if report.transactions > 0, lastSignature == nil { note("the ledger has no signature: nothing is proven") }
        if lastSignature != nil, report.unsignedTail > 0 {
            note("\(report.unsignedTail) transactions after the last signature are not covered")
        }
        if options.secrets.isEmpty {
            note("GCM tags and commit evidence were not checked: no ledger secret was given")
        } else if withoutSecret > 0 {
            note("GCM tags and commit evidence of \(withoutSecret) transactions were not checked: their secret was not given")
        }
        for item in uncheckedCertificates {
            note("the certificate of node \(item.node) was not checked against a service key: the ledger has none")
        }
        for id in identityChanges { note("the service identity changed at \(id)") }
        if options.expectedReceipts.isEmpty {
            note("transactions cut from the end cannot be noticed without a receipt to expect")
        }
    }
}
