import LedgerProofs

// What happens at a signature transaction.
extension LedgerAuditor {
    /// Returns whether this is a signature transaction.
    mutating func checkSignatures(_ detail: EntryDetail, _ scan: EntryScan, findingsBefore: UInt64) -> Bool {
        for map in detail.maps where map.name == .signatures || map.name == .coseSignatures || map.name == .tree {
            if !map.removes.isEmpty || map.writes.contains(where: { $0.key != zeroKey }) || map.writes.count > 1 {
                find(.table, offset: scan.offset, seqno: scan.id.seqno, "\(map.name) has one row, with key zero")
            }
        }
        guard !detail.raws.isEmpty || !detail.coses.isEmpty else {
            for tree in detail.trees { checkTree(tree, scan) }
            return false
        }
        checkRest(detail, scan)
        report.rawSignatures += UInt64(detail.raws.count)
        report.coseSignatures += UInt64(detail.coses.count)
        guard treeIsKnown, let root = frontier.root() else {
            if !treeWasLostNoted {
                note("roots from \(scan.id) on were not checked: transactions before it are missing or unreadable")
                treeWasLostNoted = true
            }
            lastSignature = scan.id
            lastSignatureServiceKey = serviceKey
            lastSignedRoot = nil
            return true
        }
        var jobs: [SignatureJob] = []
        for row in detail.raws { checkRaw(row, root, scan, &jobs) }
        for row in detail.coses { checkCOSE(row, root, scan, &jobs) }
        for tree in detail.trees { checkTree(tree, scan) }
        rootAnchors.remove(root)
        lastSignature = scan.id
        lastSignatureServiceKey = serviceKey
        lastSignedRoot = root
        tail.restart(at: frontier)
        signatures.add(
            SignatureQueue.Pending(
                id: scan.id, isFine: findings.count == findingsBefore, isFirst: findingsBefore == 0,
                jobCount: jobs.count),
            jobs, crew: crew)
        return true
    }

    /// What no later signature covers when this is the newest one.
    mutating func checkRest(_ detail: EntryDetail, _ scan: EntryScan) {
        if detail.hasClaims {
            find(.entry, offset: scan.offset, seqno: scan.id.seqno, "a signature transaction has no claims")
        }
        let tables: Set<MapName> = [.signatures, .coseSignatures, .tree]
        if detail.hasOtherTables || detail.maps.contains(where: { !tables.contains($0.name) }) {
            find(.entry, offset: scan.offset, seqno: scan.id.seqno, "a signature transaction writes no other tables")
        }
    }

    mutating func checkRaw(
        _ decoded: EntryDetail.Row<RawSignature>, _ root: Digest32, _ scan: EntryScan, _ jobs: inout [SignatureJob]
    ) {
        let at = (offset: scan.offset, seqno: scan.id.seqno)
        let row: RawSignature
        switch decoded {
        case .success(let value): row = value
        case .failure(let problem):
            find(.rawSignature, offset: at.offset, seqno: at.seqno, problem.reason)
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
            // A node may sign on with its former certificate until the transaction with its new one is committed.
            if let own = row.certificate, !ExactText.same(own, pem),
                formerCertificates[row.node]?.contains(ExactText(own)) != true
            {
                find(.node, offset: at.offset, seqno: at.seqno, "the signature names another certificate")
            }
            // The service may have changed since the certificate was written.
            if let serviceKey, endorsementCheckedWith[row.node] !== serviceKey {
                checkEndorsement(row.node, pem, at.seqno, at.offset)
            }
            jobs.append(
                SignatureJob(
                    kind: .raw(der: row.signature), root: root, key: nodeKey, file: file, offset: at.offset,
                    id: scan.id))
        } catch {
            find(.node, offset: at.offset, seqno: at.seqno, "a node certificate cannot be used: \(error.reason)")
        }
    }

    mutating func checkCOSE(
        _ decoded: EntryDetail.Row<COSERootSignature>, _ root: Digest32, _ scan: EntryScan,
        _ jobs: inout [SignatureJob]
    ) {
        let at = (offset: scan.offset, seqno: scan.id.seqno)
        guard let serviceKey else {
            find(.coseSignature, offset: at.offset, seqno: at.seqno, "no usable service certificate is known")
            return
        }
        switch decoded {
        case .success(let signature):
            if signature.txid != scan.id {
                find(.coseSignature, offset: at.offset, seqno: at.seqno, "it says it is transaction \(signature.txid)")
            }
            jobs.append(
                SignatureJob(
                    kind: .cose(signature), root: root, key: serviceKey, file: file,
                    offset: at.offset, id: scan.id))
        case .failure(let problem):
            find(.coseSignature, offset: at.offset, seqno: at.seqno, problem.reason)
        }
    }

    mutating func checkTree(_ decoded: EntryDetail.Row<SerialisedTree>, _ scan: EntryScan) {
        guard treeIsKnown else { return }
        switch decoded {
        case .success(let tree):
            if !tail.isSame(as: tree), tree.size != frontier.size || tree.frontier() != frontier {
                find(
                    .tree, offset: scan.offset, seqno: scan.id.seqno,
                    "the recorded tree of \(tree.size) leaves is not the tree of the transactions")
            }
        case .failure(let problem):
            find(.tree, offset: scan.offset, seqno: scan.id.seqno, problem.reason)
        }
    }

    /// What the signatures since the last call turn out to be belongs here in the report, when there are enough.
    mutating func closeSignatures(atLeast minimum: Int) {
        guard signatures.jobCount >= minimum else { return }
        signatures.close(at: findings.count)
        settleSignatures(waitingCount: 8)
    }

    /// Takes the results of signatures that are checked by now, and waits for those beyond the newest places.
    mutating func settleSignatures(waitingCount: Int) {
        var settled: [(SignatureQueue.Pending, UInt64, [LedgerFinding])] = []
        signatures.drain(waitingCount: waitingCount, crew: crew) { settled.append(($0, $1, $2)) }
        for (signature, place, found) in settled {
            for finding in found { findings.add(finding, at: place) }
            if signature.isFine, signature.jobCount > 0, found.isEmpty {
                report.verifiedSignatureTransactions += 1
                if signature.isFirst, firstFindingSeqno == nil { report.verifiedTo = signature.id }
            } else if firstFindingSeqno == nil {
                firstFindingSeqno = signature.id.seqno
            }
        }
    }
}
