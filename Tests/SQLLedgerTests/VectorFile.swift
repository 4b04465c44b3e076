import Foundation
import LedgerProofs

/// Reads the JSON files under Vectors/sql.
enum VectorFile {
    static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Vectors/sql")

    static func decode<T: Decodable>(_ type: T.Type, _ path: String) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(contentsOf: directory.appendingPathComponent(path)))
    }

    /// The file as Foundation's dictionaries, for tests that pass parts of it on as JSON text.
    static func object(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: directory.appendingPathComponent(path))
        return try JSONSerialization.jsonObject(with: data) as! [String: Any]
    }
}

/// The code of the error that `body` throws, or `nil` when it throws none.
func errorCode(_ body: () throws(ProofError) -> Void) -> String? {
    do throws(ProofError) {
        try body()
        return nil
    } catch {
        return error.code.rawValue
    }
}
