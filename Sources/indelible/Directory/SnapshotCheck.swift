import Foundation
import LedgerFormat
import LedgerProofs

/// Checks the snapshot files of a directory: each must decode, and its receipt must prove its digest.
struct SnapshotCheck {
    var verified = 0
    var problems: [String] = []

    init(directory: String, serviceCertificatePEM: String?) throws {
        guard let pem = serviceCertificatePEM, let verifier = try? ReceiptVerifier(serviceCertificatePEM: pem) else {
            throw Failure("\(directory): there is no service certificate to verify snapshots with")
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw Failure("\(directory): there is no such directory")
        }
        for name in names.sorted() where SnapshotName(fileName: name)?.isCommitted == true {
            if let problem = Self.problem("\(directory)/\(name)", verifier) {
                problems.append("\(directory)/\(name): \(problem)")
            } else {
                verified += 1
            }
        }
    }

    private static func problem(_ path: String, _ verifier: ReceiptVerifier) -> String? {
        do {
            // A pipe of that name would hold us for ever.
            let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            guard type == .typeRegular else { return "is not a regular file" }
            let file = try SnapshotFile(decoding: try InputFile.bytes(path, limit: 1 << 30))
            let leaf: LeafComponents
            let findings: [VerificationFinding]
            switch file.receipt {
            case nil: return "has no receipt"
            case .json(let bytes):
                let receipt = try UnverifiedReceipt(json: bytes)
                guard case .components(let components) = receipt.leaf else { return "its receipt has no claims digest" }
                leaf = components
                findings = verifier.verify(receipt, claims: nil).findings
            case .cose(let bytes):
                let receipt = try UnverifiedCOSEReceipt(cose: bytes)
                leaf = receipt.leaf
                findings = verifier.verify(receipt, claims: nil).findings
            }
            guard findings.isEmpty else { return findings.map(\.reason).joined(separator: "; ") }
            return leaf.claimsDigest == file.digest ? nil : "its receipt is for another snapshot"
        } catch let failure as Failure {
            return failure.message
        } catch {
            return "\(error)"
        }
    }
}
