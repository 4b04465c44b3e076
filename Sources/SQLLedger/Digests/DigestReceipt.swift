/// What is known about the receipt of a digest's entry.
public enum DigestReceipt: Hashable, Sendable {
    /// The store has no receipts.
    case none
    /// The ledger has not signed a tree with the entry yet.
    case pending
    /// Checked against the pinned service certificate, with the entry's collection and contents bound by its claims.
    /// - Parameters:
    ///   - document: the receipt's JSON text, application claims included.
    ///   - serviceCertificate: the pinned certificate, PEM.
    case verified(document: String, serviceCertificate: String)
    /// Checked and wrong. The reasons are for people.
    case invalid(reasons: [String])
}
