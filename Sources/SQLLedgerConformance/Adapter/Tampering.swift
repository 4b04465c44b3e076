import LedgerProofs
import SQLLedger

/// One thing that an attacker who can write everything does to the stored database, behind the back of the engine:
/// without its capture, its guards and its ledger noticing.
public enum Tampering: Sendable, Hashable {
    /// Sets one column of a live row.
    case liveCell(table: String, key: [NamedValue], NamedValue)
    /// Deletes a live row, and what the engine keeps beside it.
    case liveRowDeleted(table: String, key: [NamedValue])
    /// Inserts a live row that no transaction created, with whatever an engine keeps beside rows copied from another.
    case liveRowInserted(table: String, row: [NamedValue], stampOf: [NamedValue])
    /// Sets one column of the ended version of a row. The row has one ended version.
    case historyCell(table: String, key: [NamedValue], NamedValue)
    /// Deletes the ended version of a row.
    case historyRowDeleted(table: String, key: [NamedValue])
    /// Stores the ended version of a row a second time.
    case historyRowDuplicated(table: String, key: [NamedValue])
    /// Makes the ended version of a row say that another transaction ended it.
    case historyRowEnd(table: String, key: [NamedValue], TransactionNumber)
    /// Sets the principal of a transaction's entry.
    case transactionPrincipal(TransactionNumber, String)
    /// Deletes a transaction's entry.
    case transactionDeleted(TransactionNumber)
    /// Exchanges the places that two entries have in their block.
    case transactionsSwapped(TransactionNumber, TransactionNumber)
    /// Sets the stored root over a block's transactions.
    case blockRoot(BlockID, Digest32)
    /// Deletes this block and all later ones, and every entry from `transaction` on.
    case ledgerCut(from: BlockID, transaction: TransactionNumber)
    /// Sets the name of the table in the newest schema event about it.
    case schemaEventName(table: String, String)
    /// Switches the capture of a table off, and leaves it off.
    case captureOff(table: String)
}
