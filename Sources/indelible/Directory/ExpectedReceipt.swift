import LedgerFormat
import LedgerProofs

/// A kept receipt that anchors the end of a ledger: it must itself be valid, and its transaction must be there.
struct ExpectedReceipt {
    private enum Content {
        case json(UnverifiedReceiptDocument)
        case cose(UnverifiedCOSEReceipt)
    }

    private let file: String
    private let content: Content
    let anchor: LedgerAnchor

    /// Errors: a file that is no receipt, or one that names no transaction.
    init(file: String) throws {
        self.file = file
        let bytes = try InputFile.bytes(file, limit: UnverifiedReceiptDocument.defaultLimits.maximumByteCount)
        try InputFile.checkEncoding(bytes, file)
        let anchor: LedgerAnchor?
        do {
            if bytes.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) == UInt8(ascii: "{") {
                let document = try UnverifiedReceiptDocument(json: bytes)
                content = .json(document)
                switch document.receipt.leaf {
                case .components(let components): anchor = LedgerAnchor(components)
                case .signedRoot(let root): anchor = .signedRoot(root)
                }
            } else {
                let receipt = try UnverifiedCOSEReceipt(cose: bytes)
                content = .cose(receipt)
                anchor = LedgerAnchor(receipt)
            }
        } catch {
            throw Failure("\(file): is not a receipt (\(error))")
        }
        guard let anchor else { throw Failure("\(file): the receipt names no transaction") }
        self.anchor = anchor
    }

    /// Why the receipt itself proves nothing, or not what it is said to; `nil` when it is valid.
    func problem(serviceCertificatePEM: String?, ledger: LedgerInspector) -> String? {
        guard let serviceCertificatePEM,
            let verifier = try? ReceiptVerifier(serviceCertificatePEM: serviceCertificatePEM)
        else { return "\(file): there is no service certificate to verify the receipt with" }
        let findings: [VerificationFinding]
        switch content {
        case .json(let document):
            let claims = document.applicationClaims
            findings = verifier.verify(document.receipt, claims: claims.isEmpty ? nil : claims).findings
            if findings.isEmpty, let named = document.transactionID {
                switch document.receipt.leaf {
                case .components(let leaf):
                    if let proved = leaf.transactionID, named != proved {
                        return "\(file): the answer names transaction \(named), the receipt proves \(proved)"
                    }
                case .signedRoot(let root):
                    // It names no transaction itself, so only the ledger can tell.
                    if !Self.isSigned(root, at: named, in: ledger) {
                        return
                            "\(file): the answer names transaction \(named), which does not sign the root of the receipt"
                    }
                }
            }
        case .cose(let receipt):
            findings = verifier.verify(receipt, claims: nil).findings
        }
        return findings.isEmpty ? nil : "\(file): \(findings.map(\.reason).joined(separator: "; "))"
    }

    /// What cannot be read there is told by the verification of the ledger.
    private static func isSigned(_ root: Digest32, at id: TransactionID, in ledger: LedgerInspector) -> Bool {
        var isSigned = false
        do {
            try ledger.visit(from: id.seqno) { transaction in
                let row = transaction.maps.first { $0.name == .signatures }?.writes.first?.value
                isSigned = transaction.id == id && (row.flatMap { try? RawSignature(decoding: $0) })?.root == root
                return false
            }
        } catch {
            return true
        }
        return isSigned
    }
}
