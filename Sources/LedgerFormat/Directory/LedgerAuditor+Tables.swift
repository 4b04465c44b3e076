import LedgerProofs

// The tables that decide which keys count.
extension LedgerAuditor {
    mutating func applyTables(_ maps: [MapWrites], _ scan: EntryScan) {
        // The service first: certificates written together with a new identity are endorsed by it.
        for map in maps where map.name == .serviceInfo { applyService(map, scan) }
        for map in maps where map.name == .previousServiceIdentityEndorsement { applyEndorsement(map) }
        for map in maps where map.name == .nodesInfo { applyNodes(map, scan) }
        for map in maps where map.name == .nodesEndorsedCertificates { applyCertificates(map, scan) }
    }

    mutating func applyService(_ map: MapWrites, _ scan: EntryScan) {
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
                info = try ServiceInfo(identityOf: write.value)
            } catch {
                find(.table, offset: scan.offset, seqno: scan.id.seqno, error.description)
                continue
            }
            if let old = service?.status, !old.mayBecome(info.status) {
                find(
                    .serviceStatus, unlessUnread: isUnread(after: serviceSeqno), offset: scan.offset,
                    seqno: scan.id.seqno,
                    "the service may not go from \(old) to \(info.status)")
            }
            do {
                let key = try key(certificatePEM: info.certificate)
                if let serviceKey, serviceKey.key != key.key {
                    identityChanges.append(
                        IdentityChange(
                            id: scan.id, former: serviceKey.key, signedRoot: treeIsKnown ? lastSignedRoot : nil))
                }
                serviceKey = key
            } catch {
                serviceKey = nil
                find(
                    .serviceCertificate, offset: scan.offset, seqno: scan.id.seqno,
                    "the service certificate cannot be used: \(error.reason)")
            }
            service = info
            serviceSeqno = scan.id.seqno
            let waiting = uncheckedCertificates
            uncheckedCertificates = []
            for item in waiting { checkEndorsement(item.node, item.pem, item.seqno, item.offset) }
        }
    }

    /// The key in force may endorse the one before it. A service that was never opened in between endorses nothing:
    /// the change from it is proven together with the one to it.
    mutating func applyEndorsement(_ map: MapWrites) {
        guard let serviceKey, let newest = identityChanges.last, !newest.isEndorsed,
            let value = map.value(for: zeroKey),
            let row = try? PreviousServiceIdentityEndorsement(decoding: value),
            let endorsement = try? ServiceIdentityEndorsement(cose: row.endorsement),
            endorsement.endorsedKey != serviceKey.key, endorsement.isSigned(by: serviceKey.key),
            let end = endorsement.epochEnd, end.seqno < newest.id.seqno, end.seqno.next == newest.id.seqno,
            let first = identityChanges.lastIndex(where: { $0.former == endorsement.endorsedKey })
        else { return }
        if let root = endorsement.epochEndRoot, let signed = newest.signedRoot, root != signed { return }
        for i in first..<identityChanges.count { identityChanges[i].isEndorsed = true }
    }

    mutating func applyNodes(_ map: MapWrites, _ scan: EntryScan) {
        for key in map.removes where nodes.removeValue(forKey: String(decoding: key, as: UTF8.self)) == nil {
            find(
                .table, unlessUnread: !unread.isEmpty, offset: scan.offset, seqno: scan.id.seqno,
                "a row of nodes.info is removed that is not there")
        }
        for write in map.writes {
            do {
                nodes[String(decoding: write.key, as: UTF8.self)] = try NodeInfo.status(of: write.value)
            } catch {
                nodes.removeValue(forKey: String(decoding: write.key, as: UTF8.self))
                find(.table, offset: scan.offset, seqno: scan.id.seqno, error.description)
            }
        }
    }

    mutating func applyCertificates(_ map: MapWrites, _ scan: EntryScan) {
        for key in map.removes {
            let node = String(decoding: key, as: UTF8.self)
            nodeCertificates.removeValue(forKey: node)
            formerCertificates.removeValue(forKey: node)
        }
        for write in map.writes {
            let node = String(decoding: write.key, as: UTF8.self)
            guard let pem = String(validating: write.value, as: UTF8.self) else {
                find(.table, offset: scan.offset, seqno: scan.id.seqno, "a node certificate is not text")
                continue
            }
            nodeCertificates[node] = pem
            formerCertificates[node, default: []].insert(ExactText(pem))
            checkEndorsement(node, pem, scan.id.seqno, scan.offset)
        }
    }

    /// A node certificate must be for the node's own key and signed by the service key of its time.
    mutating func checkEndorsement(_ node: String, _ pem: String, _ seqno: SequenceNumber, _ offset: UInt64) {
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
        endorsementCheckedWith[node] = serviceKey
        if let finding = CertificateEndorsement.verify(certificatePEM: pem, issuer: serviceKey.key).findings.first {
            find(
                .node, unlessUnread: isUnread(after: serviceSeqno), offset: offset, seqno: seqno,
                "node \(node): \(finding.reason)")
        }
    }

    mutating func key(certificatePEM pem: String) throws(ProofError) -> RecurringKey {
        // Signature after signature names the same certificate.
        if let lastKey, lastKey.pem == pem { return lastKey.key }
        let key: RecurringKey
        if let known = keys[pem] {
            key = known
        } else {
            let new = try SigningPublicKey(certificatePEM: pem)
            // A renewed certificate is for the key of the old one.
            key = keys.values.first { $0.key == new } ?? RecurringKey(new)
            // Each may hold as much memory as the multiples of a point take.
            if keys.count >= 32 { keys.removeAll() }
            keys[pem] = key
        }
        lastKey = (pem, key)
        return key
    }
}
