import Foundation
import LedgerProofs
import Testing

@testable import LedgerFormat

/// The files under `Vectors/ccf`.
enum Vectors {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors/ccf")

    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: directory.appending(path: path))) }

    static func json(_ path: String) throws -> JSONValue { try JSONValue(decoding: bytes(path)) }

    /// The secrets of a ledger of the vectors. Only the recovered one has a second secret.
    static func secrets(recovered: Bool = false) throws -> LedgerSecrets {
        let keys = try json("keys.json")
        let first = try #require(Hex.decode(keys["ledger_secret_1_hex"].text).flatMap { LedgerSecret(bytes: $0) })
        let second = try #require(Hex.decode(keys["ledger_secret_2_hex"].text).flatMap { LedgerSecret(bytes: $0) })
        return recovered
            ? LedgerSecrets([(SequenceNumber(1), first), (SequenceNumber(32), second)]) : LedgerSecrets(first)
    }

    /// The bytes of every entry of a chunk, found by the size fields.
    static func entries(chunk path: String) throws -> [[UInt8]] {
        let bytes = try bytes(path)
        let table = try ChunkLayout.tableOffset(header: Array(bytes.prefix(8)), fileByteCount: UInt64(bytes.count))
        let end = table.map { Int($0) } ?? bytes.count
        var at = 8
        var result: [[UInt8]] = []
        while at < end {
            let header = try EntryHeader(decoding: Array(bytes[at..<at + 8]))
            result.append(Array(bytes[at..<at + 8 + Int(header.size)]))
            at += 8 + Int(header.size)
        }
        return result
    }
}

extension JSONValue {
    subscript(name: String) -> JSONValue {
        if case .object(let members) = self { members[name] ?? .null } else { .null }
    }
    subscript(index: Int) -> JSONValue { list[index] }
    var list: [JSONValue] { if case .array(let values) = self { values } else { [] } }
    var members: [String: JSONValue] { if case .object(let values) = self { values } else { [:] } }
    var text: String { if case .string(let text) = self { text } else { "" } }
    var number: Int { if case .integer(let value) = self { Int(value) } else { -1 } }
    var hex: [UInt8] { Hex.decode(text) ?? [] }
}
