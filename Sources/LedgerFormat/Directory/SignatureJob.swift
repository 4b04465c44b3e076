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

    /// `nil` when the signature is valid.
    func finding() -> LedgerFinding? {
        let code: LedgerFinding.Code
        let verdict: Verdict<Digest32>
        switch kind {
        case .raw(let der):
            code = .rawSignature
            verdict = RootSignature.verify(der: der, root: root, publicKey: key)
        case .cose(let signature):
            code = .coseSignature
            verdict = signature.verify(root: root, key: key)
        }
        guard let first = verdict.findings.first else {
            return verdict.isVerified
                ? nil : LedgerFinding(code, file: file, offset: offset, seqno: id.seqno, "not verified")
        }
        return LedgerFinding(code, file: file, offset: offset, seqno: id.seqno, first.reason)
    }
}
