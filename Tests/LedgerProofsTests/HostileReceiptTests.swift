import Foundation
import LedgerProofs
import Testing

/// Vectors/receipts: each file is one response, changed as its name says, and the verdict it must get.
@Suite struct HostileReceiptTests {
    static let files: [String] = {
        let directory = VectorFile.directory.appendingPathComponent("receipts")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted()
    }()

    struct Vector: Decodable {
        /// `verified`, `failed` or `unreadable`.
        var verdict: String
        /// Exactly the finding codes of a failure, or the one error code of what cannot be read.
        var codes: [String]
        var transactionId: String?
        var serviceCertificate: String
        var document: String
    }

    @Test func allFilesAreThere() {
        #expect(Self.files.count >= 60)
    }

    @Test(arguments: files)
    func vector(file: String) throws {
        let vector = try JSONDecoder().decode(Vector.self, from: Data(VectorFile.bytes("receipts/" + file)))
        let (verdict, codes) = Self.judge(vector)
        #expect(verdict == vector.verdict)
        #expect(codes == Set(vector.codes))
    }

    static func judge(_ vector: Vector) -> (String, Set<String>) {
        let document: UnverifiedReceiptDocument
        let verifier: ReceiptVerifier
        do {
            document = try UnverifiedReceiptDocument(json: Array(vector.document.utf8))
            verifier = try ReceiptVerifier(serviceCertificatePEM: vector.serviceCertificate)
        } catch {
            return ("unreadable", [error.code.rawValue])
        }
        switch verifier.verify(document, expecting: vector.transactionId.flatMap { TransactionID($0) }) {
        case .verified: return ("verified", [])
        case .failed(let findings): return ("failed", Set(findings.map(\.code.rawValue)))
        }
    }
}
