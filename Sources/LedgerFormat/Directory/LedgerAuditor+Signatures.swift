import LedgerProofs

// What happens at a signature transaction.
extension LedgerAuditor {
    /// Returns whether this is a signature transaction.
    mutating func checkSignatures(_ scan: EntryScan, findingsBefore: UInt64) -> Bool {
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
                note("roots from \(scan.id) on were not checked: transactions before it are missing or unreadable")
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

    mutating func checkRaw(_ value: [UInt8], _ root: Digest32, _ scan: EntryScan, _ before: UInt64) {
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

    mutating func checkCOSE(_ value: [UInt8], _ root: Digest32, _ scan: EntryScan, _ before: UInt64) {
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

    mutating func checkTree(_ value: [UInt8], _ scan: EntryScan) {
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
}
