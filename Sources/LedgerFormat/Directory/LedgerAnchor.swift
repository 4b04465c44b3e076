import LedgerProofs

/// What a receipt says about the ledger: it proves that a transaction existed, so a ledger without it was cut or
/// rewritten. The signature of the receipt is not checked here; verify it with `ReceiptVerifier`.
public enum LedgerAnchor: Hashable, Sendable {
    /// The leaf of the transaction.
    case leaf(TransactionID, Digest32)
    /// The root that some signature transaction signed.
    case signedRoot(Digest32)

    /// `nil` when the commit evidence does not name a transaction.
    public init?(_ components: LeafComponents) {
        guard let id = components.transactionID else { return nil }
        self = .leaf(id, components.leaf())
    }

    /// `nil` when the commit evidence does not name a transaction.
    public init?(_ receipt: UnverifiedCOSEReceipt) { self.init(receipt.leaf) }

    /// `nil` when the commit evidence does not name a transaction.
    public init?(_ receipt: UnverifiedReceipt) {
        switch receipt.leaf {
        case .components(let components): self.init(components)
        case .signedRoot(let root): self = .signedRoot(root)
        }
    }

    /// `nil` when the commit evidence does not name a transaction.
    public init?(_ document: UnverifiedReceiptDocument) { self.init(document.receipt) }
}
