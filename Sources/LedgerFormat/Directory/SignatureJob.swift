import LedgerProofs

/// A signature whose key and root are known: checking it is pure work for any thread.
struct SignatureJob: Sendable {
    enum Kind: Sendable {
        case raw(der: [UInt8])
        case cose(COSERootSignature)
    }

    var kind: Kind
    var root: Digest32
    var key: RecurringKey
    var file: String
    var offset: UInt64
    var id: TransactionID

    /// For each of `jobs`, which all have the same key: `nil` when the signature is valid.
    static func findings(of jobs: [SignatureJob]) -> [LedgerFinding?] {
        guard let key = jobs.first?.key else { return [] }
        // Nothing of another key may be confirmed by this one.
        let claims = jobs.map { $0.key === key ? $0.claim : nil }
        var confirmed = key.confirm(claims.compactMap { $0 }).makeIterator()
        return zip(jobs, claims).map { job, claim in
            if claim != nil, confirmed.next() == true { nil } else { job.finding() }
        }
    }

    private var claim: SignatureClaim? {
        switch kind {
        case .raw(let der): RootSignature.claim(der: der, root: root, key: key)
        case .cose(let signature): signature.claim(root: root, key: key)
        }
    }

    /// `nil` when the signature is valid.
    private func finding() -> LedgerFinding? {
        let code: LedgerFinding.Code
        let verdict: Verdict<Digest32>
        switch kind {
        case .raw(let der):
            code = .rawSignature
            verdict = RootSignature.verify(der: der, root: root, publicKey: key.key)
        case .cose(let signature):
            code = .coseSignature
            verdict = signature.verify(root: root, key: key.key)
        }
        guard let first = verdict.findings.first else {
            return verdict.isVerified
                ? nil : LedgerFinding(code, file: file, offset: offset, seqno: id.seqno, "not verified")
        }
        return LedgerFinding(code, file: file, offset: offset, seqno: id.seqno, first.reason)
    }
}
