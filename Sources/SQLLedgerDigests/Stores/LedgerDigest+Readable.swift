import LedgerProofs
import SQLLedger

extension LedgerDigest {
    /// The written form, which a store keeps for good, so it must be readable. A digest whose block comes from a changed
    /// file may break the format's rules.
    /// - Throws: `DigestStoreError.refused`, naming the rule.
    func readableJSON() throws(DigestStoreError) -> String {
        // Its successor is written too.
        guard block.rawValue < UInt64.max else {
            throw DigestStoreError(.refused, "block \(block): has no digest, its number is too large")
        }
        let text = json
        do {
            _ = try LedgerDigest(json: text)
        } catch {
            throw DigestStoreError(
                .refused, "block \(block): its digest could not be read again and was not stored (\(error.reason))")
        }
        return text
    }
}
