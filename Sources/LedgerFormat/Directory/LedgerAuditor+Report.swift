import LedgerProofs

// What can be said only at the end.
extension LedgerAuditor {
    /// The report. Nothing may be added afterwards.
    public mutating func finish() -> LedgerVerificationReport {
        closeSignatures(atLeast: 0)
        settleSignatures(waitingCount: 0)
        file = ""
        for seqno in leafAnchors.keys.sorted() {
            for anchor in leafAnchors[seqno] ?? [] {
                find(
                    .receipt, unlessUnread: isUnread(at: seqno), seqno: seqno,
                    "a receipt exists for transaction \(anchor.id), the ledger has no such")
            }
        }
        for anchor in options.expectedReceipts {
            // The leaf of a signature transaction, too, is proven only by a later signature.
            if case .leaf(let id, _) = anchor, leafAnchors[id.seqno] == nil,
                id.seqno >= lastSignature?.seqno ?? .zero
            {
                find(
                    .receipt, unlessUnread: isUnread(after: id.seqno), seqno: id.seqno,
                    "a receipt exists for \(id), but no signature covers it in the ledger")
            }
        }
        for root in rootAnchors.map(\.hex).sorted() {
            find(
                .receipt, unlessUnread: !unread.isEmpty,
                "a receipt exists for the signed root \(root), the ledger has no such signature")
        }
        checkService()
        addNotes()
        (report.findings, report.findingsLeftOff) = findings.merged()
        let onlyUnreadable = report.findings.allSatisfy { $0.code == .unreadable }
        if !report.findings.isEmpty || report.findingsLeftOff > 0 {
            report.outcome = onlyUnreadable ? .unableToTell : .failed
        } else {
            report.outcome = report.verifiedTo == nil ? .unableToTell : .ok
        }
        return report
    }

    mutating func checkService() {
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
                find(
                    .serviceCertificate, unlessUnread: !unread.isEmpty,
                    "the ledger has no service certificate to compare with the expected one")
                return
            }
            if expectedKey.key != serviceKey.key {
                let changed = identityChanges.last.map { "; the identity last changed at \($0.id)" } ?? ""
                find(
                    .serviceCertificate, unlessUnread: isUnread(after: serviceSeqno),
                    "the newest service key of the ledger, \(serviceKey.nodeID), is not the expected one\(changed)")
            } else if let lastSignature, lastSignatureServiceKey?.key != expectedKey.key {
                find(
                    .serviceCertificate, unlessUnread: isUnread(after: lastSignature.seqno), seqno: lastSignature.seqno,
                    "the newest signature was not made under the expected service certificate")
            }
            for change in identityChanges where !change.isEndorsed {
                find(
                    .serviceCertificate, unlessUnread: isUnread(after: change.id.seqno), seqno: change.id.seqno,
                    "the service identity changed at \(change.id), and no later one endorsed the former")
            }
        } catch {
            find(.serviceCertificate, "the expected service certificate cannot be used: \(error.reason)")
        }
    }

    mutating func addNotes() {
        if report.transactions == 0 { note("the ledger has no transactions") }
        if report.transactions > 0, lastSignature == nil { note("the ledger has no signature: nothing is proven") }
        if lastSignature != nil, report.unsignedTail > 0 {
            note("\(report.unsignedTail) transactions after the last signature are not covered")
        }
        if options.secrets.isEmpty {
            note("GCM tags and commit evidence were not checked: no ledger secret was given")
        } else if withoutSecret > 0 {
            note(
                "GCM tags and commit evidence of \(withoutSecret) transactions were not checked: "
                    + "their secret was not given")
        }
        for item in uncheckedCertificates {
            note("the certificate of node \(item.node) was not checked against a service key: the ledger has none")
        }
        for change in identityChanges { note("the service identity changed at \(change.id)") }
        if options.expectedReceipts.isEmpty {
            note("transactions cut from the end cannot be noticed without a receipt to expect")
        }
    }
}
