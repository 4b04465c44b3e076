// modules: LedgerProofs
// seeds: Vectors/receipts/*.json Vectors/ccf/receipts.json
import LedgerProofs

/// What is read as a receipt must come out of both renderings as the same receipt, and verifying it must not trap.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzReceiptJSON(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let document = try? UnverifiedReceiptDocument(json: input) else { return 0 }
    let receipt = document.receipt
    for rendering in [receipt.appJSON(), receipt.nodeJSON()] {
        guard let again = try? UnverifiedReceipt(json: rendering), again == receipt else {
            fatalError("a receipt changed when it was written and read again")
        }
    }
    _ = ApplicationClaim.claimsDigest(document.applicationClaims)
    if let verifier = try? ReceiptVerifier(serviceCertificatePEM: receipt.certificatePEM) {
        _ = verifier.verify(document, at: 0)
    }
    return 0
}
