/// What an attacker does to a stored database, and the code of the catalogue that verification must report for it.
/// Identifiers are those of the attack catalogue.
public enum TamperingCase: String, CaseIterable, Sendable {
    /// A value of a live row is another one.
    case liveCell = "R01 liveCell"
    /// A live row is deleted.
    case liveRowDeleted = "R04 liveRowDeleted"
    /// A live row is inserted.
    case liveRowInserted = "R05 liveRowInserted"
    /// Two live rows have each other's values.
    case liveCellsSwapped = "R07 liveCellsSwapped"
    /// NULL became empty text.
    case nullToEmpty = "R10 nullToEmpty"
    /// A value of an ended version is another one.
    case historyCell = "H01 historyCell"
    /// An ended version is deleted.
    case historyRowDeleted = "H02 historyRowDeleted"
    /// A whole key is deleted: its live row and its history.
    case keyDeleted = "H03 keyDeleted"
    /// An ended version is there twice.
    case historyRowDuplicated = "R06 historyRowDuplicated"
    /// An ended version ended elsewhere.
    case historyRowEnd = "H06 historyRowEnd"
    /// An entry says that somebody else did it.
    case transactionPrincipal = "H10 transactionPrincipal"
    /// An entry is deleted together with its row.
    case transactionDeleted = "H11 transactionDeleted"
    /// Two entries have each other's places.
    case transactionsSwapped = "H12 transactionsSwapped"
    /// A block has another root.
    case blockRoot = "H13 blockRoot"
    /// The last block is cut off with its entries.
    case ledgerCut = "H16 ledgerCut"
    /// A schema event calls the table by another name.
    case schemaEventName = "S05 schemaEventName"
    /// Capture is off.
    case captureOff = "S11 captureOff"
}
