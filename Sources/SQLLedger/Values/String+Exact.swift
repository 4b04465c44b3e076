import LedgerProofs

extension String {
    /// To compare by bytes: to SQLite and to hashes, canonically equivalent names are different ones.
    package var exact: ExactText { ExactText(self) }
}
