import SQLLedger

/// The pages of a database file: how big they are, how much of each SQLite uses, and how many there are.
struct FilePages {
    let size: Int
    let usable: Int
    let count: Int64

    /// `nil` where the file alone does not hold the snapshot.
    init?(_ reader: SQLiteEvidenceReader) throws {
        guard try reader.isFileWhole() else { return nil }
        var header = [UInt8](repeating: 0, count: 100)
        try reader.readFile(into: &header, at: 0)
        let size = Int(header[16]) << 8 | Int(header[17])
        self.size = size == 1 ? 65_536 : size
        usable = self.size - Int(header[20])
        // SQLite takes no less.
        guard self.size >= 512, usable >= 480,
            case .integer(let count)? = try reader.connection.value("PRAGMA main.page_count")
        else {
            throw VerificationError(object: reader.source, reason: "the file is damaged: its header cannot be read")
        }
        self.count = count
    }

    /// Where a page begins in the file.
    func offset(of page: UInt32) -> Int64 { (Int64(page) - 1) * Int64(size) }
}
