import Foundation
import LedgerFormat
import LedgerProofs

/// Checks the snapshot files of a directory: each must decode, its receipt must prove its digest, and its name must say
/// what it holds. The transaction of the receipt must be in the ledger, or that was cut or is another one.
struct SnapshotCheck {
    var verified = 0
    var problems: [String] = []
    /// Files that could not be read: nothing is known about them.
    var unreadable: [String] = []
    /// Names of files that are no committed snapshots; they were not read.
    var others: [String] = []

    private let directory: String
    /// Files that hold what they should, if their receipts are genuine.
    private var candidates: [Candidate] = []

    private struct Candidate {
        var path: String
        var evidence: SequenceNumber
        var receipt: Receipt
        var leaf: LeafComponents
    }

    private enum Receipt {
        case json(UnverifiedReceipt)
        case cose(UnverifiedCOSEReceipt)
    }

    private struct Unreadable: Error {
        let reason: String
    }

    /// Why a file is no good.
    private struct Problem: Error {
        let reason: String
    }

    /// Reads the files.
    init(directory: String) {
        self.directory = directory
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
                let bytes = try Self.bytes(path)
                do {
                    candidates.append(try Self.candidate(name, bytes, path))
                } catch let problem as Problem {
                    problems.append("\(path): \(problem.reason)")
                } catch {
                    problems.append("\(path): \(error)")
                }
            } catch {
                unreadable.append("\(path): \(error.reason)")
            }
        }
    }

    /// What must be in the ledger in `ledger`. Without its open chunk, transactions after the last committed chunk are not
    /// to be expected.
    func anchors(in ledger: String, committedOnly: Bool) -> [LedgerAnchor] {
        var last: SequenceNumber?
        if committedOnly {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: ledger)) ?? []
            last = names.compactMap { ChunkName(fileName: $0) }.filter(\.isCommitted).compactMap(\.last).max() ?? .zero
        }
        return candidates.filter { candidate in last.map { candidate.evidence <= $0 } ?? true }
            .compactMap { LedgerAnchor($0.leaf) }
    }

    /// Verifies the receipts, once.
    mutating func verify(serviceCertificatePEM: String?) {
        guard let pem = serviceCertificatePEM, let verifier = try? ReceiptVerifier(serviceCertificatePEM: pem) else {
            unreadable.append("\(directory): there is no service certificate to verify snapshots with")
            return
        }
        for candidate in candidates {
            let findings =
                switch candidate.receipt {
                case .json(let receipt): verifier.verify(receipt, claims: nil).findings
                case .cose(let receipt): verifier.verify(receipt, claims: nil).findings
                }
            if findings.isEmpty {
                verified += 1
            } else {
                problems.append("\(candidate.path): \(findings.map(\.reason).joined(separator: "; "))")
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

    private static func candidate(_ name: SnapshotName, _ bytes: [UInt8], _ path: String) throws -> Candidate {
        let file = try SnapshotFile(decoding: bytes)
        let leaf: LeafComponents
        let receipt: Receipt
        switch file.receipt {
        case nil: throw Problem(reason: "has no receipt")
        case .json(let bytes):
            let json = try UnverifiedReceipt(json: bytes)
            guard case .components(let components) = json.leaf else {
                throw Problem(reason: "its receipt has no claims digest")
            }
            (leaf, receipt) = (components, .json(json))
        case .cose(let bytes):
            let cose = try UnverifiedCOSEReceipt(cose: bytes)
            (leaf, receipt) = (cose.leaf, .cose(cose))
        }
        guard leaf.claimsDigest == file.digest else { throw Problem(reason: "its receipt is for another snapshot") }
        let seqno = try Snapshot(decoding: file.entry, secret: nil).seqno
        guard seqno == name.seqno else {
            throw Problem(reason: "it holds the state at \(seqno), its name says \(name.seqno)")
        }
        guard let evidence = leaf.transactionID, evidence.seqno == name.evidence else {
            let found = leaf.transactionID?.description ?? "no transaction"
            throw Problem(reason: "its evidence is \(found), its name says \(name.evidence)")
        }
        return Candidate(path: path, evidence: name.evidence, receipt: receipt, leaf: leaf)
    }
}
