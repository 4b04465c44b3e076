import Foundation
import LedgerProofs
import Testing

@testable import SQLLedger

/// Vectors/sql/evidence: each file is one bundle, changed as its name says, and the verdict it must get.
@Suite struct EvidenceVectorTests {
    static let files: [String] = {
        let directory = VectorFile.directory.appendingPathComponent("evidence")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted()
    }()

    struct Vector: Decodable {
        /// `verified`, `failed`, `unanchored` or `unreadable`.
        var verdict: String
        /// Exactly the steps that failed, or the one error code of what cannot be read.
        var codes: [String]
        var serviceCertificate: String?
        var trustedDigests: String?
        var document: String
    }

    static func vector(_ file: String) throws -> Vector {
        try VectorFile.decode(Vector.self, "evidence/" + file)
    }

    @Test func allFilesAreThere() {
        #expect(Self.files.count >= 240)
    }

    @Test(arguments: files)
    func vector(file: String) throws {
        let vector = try Self.vector(file)
        let (verdict, codes, report) = try Self.judge(vector)
        #expect(verdict == vector.verdict, "\(codes) \(report.map(\.json) ?? "")")
        #expect(codes == vector.codes)
        #expect((report?.evidence != nil) == (vector.verdict == "verified"))
    }

    /// What is read is written again in the canonical form, and is read as the same.
    @Test(arguments: files)
    func writtenAgain(file: String) throws {
        let vector = try Self.vector(file)
        guard vector.verdict != "unreadable" else { return }
        let bundle = try UnverifiedEvidenceBundle(json: Array(vector.document.utf8))
        let bytes = try bundle.claimed.encoded()
        #expect(try UnverifiedEvidenceBundle(json: bytes) == bundle)
        if file != "spread-out.json" { #expect(String(decoding: bytes, as: UTF8.self) == vector.document) }
    }

    static func judge(_ vector: Vector) throws -> (String, [String], EvidenceReport?) {
        let bundle: UnverifiedEvidenceBundle
        do {
            bundle = try UnverifiedEvidenceBundle(json: Array(vector.document.utf8))
        } catch {
            return ("unreadable", [error.code.rawValue], nil)
        }
        let verifier = EvidenceVerifier(
            service: try vector.serviceCertificate.map { try ReceiptVerifier(serviceCertificatePEM: $0) },
            trustedDigests: try vector.trustedDigests.map { try LedgerDigest.list(json: $0) } ?? [])
        let report = verifier.verify(bundle)
        return (report.verdict.rawValue, report.failedSteps.map(\.rawValue).sorted(), report)
    }
}
