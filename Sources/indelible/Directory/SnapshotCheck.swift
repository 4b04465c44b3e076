import Foundation
import LedgerFormat
import LedgerProofs

/// Checks the snapshot files of a directory: each must decode, its receipt must prove its digest, and its name must say
/// what it holds.
struct SnapshotCheck {
    var verified = 0
    var problems: [String] = []
    /// Files that could not be read: nothing is known about them.
    var unreadable: [String] = []
    /// Names of files that are no committed snapshots; they were not read.
    var others: [String] = []

    private struct Unreadable: Error {
        let reason: String
    }

    init(directory: String, serviceCertificatePEM: String?) {
        guard let pem = serviceCertificatePEM, let verifier = try? ReceiptVerifier(serviceCertificatePEM: pem) else {
            unreadable.append("\(directory): there is no service certificate to verify snapshots with")
            return
        }
        guard let files = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            let isThere = FileKind.of(directory) == .typeDirectory
            let reason = isThere ? "cannot be read" : FileKind.absence(directory, expected: "directory")
            unreadable.append("\(directory): \(reason)")
            return
        }
        for file in files.sorted() {
            guard let name = SnapshotName(fileName: file), name.isCommitted else {
                others.append(file)
                continue
            }
            let path = "\(directory)/\(file)"
            do throws(Unreadable) {
                if let problem = Self.problem(name, try Self.bytes(path), verifier) {
                    problems.append("\(path): \(problem)")
                } else {
                    verified += 1
                }
            } catch {
                unreadable.append("\(path): \(error.reason)")
            }
        }
    }

    private static func bytes(_ path: String) throws(Unreadable) -> [UInt8] {
        do {
            // A pipe of that name would hold us for ever.
            let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            guard type == .typeRegular else { throw Unreadable(reason: "is not a regular file") }
            return try InputFile.bytes(path, limit: 1 << 30)
        } catch let unreadable as Unreadable {
            throw unreadable
        } catch {
            throw Unreadable(reason: Failure(describing: error)?.message ?? "\(error)")
        }
    }

    private static func problem(_ name: SnapshotName, _ bytes: [UInt8], _ verifier: ReceiptVerifier) -> String? {
        do {
            let file = try SnapshotFile(decoding: bytes)
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
            guard leaf.claimsDigest == file.digest else { return "its receipt is for another snapshot" }
            let seqno = try Snapshot(decoding: file.entry, secret: nil).seqno
            guard seqno == name.seqno else { return "it holds the state at \(seqno), its name says \(name.seqno)" }
            guard let evidence = leaf.transactionID, evidence.seqno == name.evidence else {
                let found = leaf.transactionID?.description ?? "no transaction"
                return "its evidence is \(found), its name says \(name.evidence)"
            }
            return nil
        } catch {
            return "\(error)"
        }
    }
}
