// modules: LedgerProofs
// seeds: Vectors/ccf/cose_receipts.json Vectors/ccf/cose_root_signatures.json
import LedgerProofs

/// What is read as CBOR must be written as the same bytes, because there is only one way to write it. What is read as a
/// COSE receipt must be a tagged CBOR value.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCOSEReceipt(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let value = try? CBOR(decoding: input)
    if let value, value.encoded() != input {
        fatalError("CBOR changed when it was written again")
    }
    if let signature = try? COSERootSignature(cose: input) {
        guard case .tagged(18, _) = value else { fatalError("a root signature without its tag") }
        _ = signature.txid.description
    }
    if let receipt = try? UnverifiedCOSEReceipt(cose: input) {
        guard case .tagged(18, _) = value else { fatalError("a receipt without its tag") }
        _ = receipt.proof.root(of: receipt.leaf.leaf())
    }
    if let tree = try? SerialisedTree(decoding: input), tree.encoded() != input {
        fatalError("a serialised tree changed when it was written again")
    }
    return 0
}
