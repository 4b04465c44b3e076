// Replaced by the receipts folder.
public struct UnverifiedReceiptDocument: Sendable {}
