/// Where the stored leaves of a transaction and table are.
enum LeafPlace: UInt64 {
    /// All of them in chunks of their own.
    case chunks
    /// The last ones in the transaction's entry.
    case chunksAndEntry
    /// All of them in the entry, where they have been compared.
    case entry
}
