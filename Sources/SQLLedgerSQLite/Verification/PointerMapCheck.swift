import LedgerProofs
import SQLLedger

/// Looks whether the pointer map of an auto-vacuum file (https://www.sqlite.org/fileformat.html, section 1.8) agrees with its overflow
/// pages. Who reads a whole row goes from each of its pages to the one that it names. Who reads only a later column steps over those
/// before: SQLite does not read a page for that if the map says that it is followed by the next one of the file.
///
/// Costs one read of each page of the map, which is one in about 800, and of four bytes for each overflow page.
struct PointerMapCheck {
    let reader: SQLiteEvidenceReader
    let findings: FindingCollector

    /// An overflow page that follows another one.
    private static let follower: UInt8 = 4

    func run() throws {
        guard try reader.connection.value("PRAGMA main.auto_vacuum") != .integer(0), let pages = try FilePages(reader)
        else { return }
        // The page with the bytes of SQLite's locks is left out.
        let lockPage = 0x4000_0000 / Int64(pages.size) + 1
        let group = Int64(pages.usable / 5 + 1)
        var map = [UInt8](repeating: 0, count: pages.size)
        var (count, first): (UInt64, String?) = (0, nil)
        for begin in stride(from: Int64(2), through: pages.count, by: Int(group)) {
            let number = begin == lockPage ? begin + 1 : begin
            let last = min(begin + group - 1, pages.count)
            guard number < last else { continue }
            try reader.readFile(into: &map, at: pages.offset(of: UInt32(number)))
            for page in number + 1...last {
                let entry = Int(page - number - 1) * 5
                guard map[entry] == Self.follower else { continue }
                let parent = Self.number(map, entry + 1)
                guard try parent < 1 || Int64(parent) > pages.count || next(parent, pages) != UInt32(page) else {
                    continue
                }
                count += 1
                if first == nil { first = "page \(page) as the one that follows page \(parent)" }
            }
        }
        guard count > 0 else { return }
        findings.report(
            Finding(
                .indexDivergence, object: "the pointer map", found: first,
                reason:
                    "the map of the pages of long rows is not what the pages say: queries for a part of the columns read other "
                    + "values than those that were verified. VACUUM makes the map anew from the pages",
                count: count))
    }

    private func next(_ page: UInt32, _ pages: FilePages) throws -> UInt32 {
        var bytes: [UInt8] = [0, 0, 0, 0]
        try reader.readFile(into: &bytes, at: pages.offset(of: page))
        return Self.number(bytes, 0)
    }

    private static func number(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        bytes[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
