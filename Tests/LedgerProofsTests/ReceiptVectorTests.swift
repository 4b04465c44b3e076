import Crypto
import Foundation
import LedgerProofs
import Testing

/// Every receipt of Vectors/ccf, which published tools accept, verifies here.
@Suite struct ReceiptVectorTests {
    static let january2026: Int64 = 1_767_225_600

    @Test(arguments: [("ccf/receipts.json", 31), ("ccf/receipts_recovered.json", 6)])
    func jsonReceipts(file: String, count: Int) throws {
        let vectors = try VectorFile.object(file)
        let verifier = try ReceiptVerifier(serviceCertificatePEM: vectors["service_cert"] as! String)
        let receipts = vectors["receipts"] as! [String: Any]
        #expect(receipts.count == count)
        for (name, json) in receipts {
            let bytes = try VectorFile.json(json)
            let receipt = try UnverifiedReceipt(json: bytes)
            let verdict = verifier.verify(receipt, at: Self.january2026)
            let verified = try #require(verdict.value, "\(name): \(verdict.findings)")
            #expect(verified.notes.isEmpty)
            #expect(verified.nodeID == receipt.nodeID)
            if case .components = receipt.leaf {
                let id = try #require(verified.transactionID)
                #expect(id.description == name || id.seqno.description == name)
                #expect(verifier.verify(receipt, expecting: id).isVerified)
                let other = TransactionID(view: id.view, seqno: id.seqno.next)
                #expect(verifier.verify(receipt, expecting: other).findings.map(\.code) == [.transactionMismatch])
            } else {
                #expect(verified.transactionID == nil && verified.claimsDigest == nil)
            }

            // Both renderings say the same again, and the node's one is what the vector holds.
            #expect(try UnverifiedReceipt(json: receipt.appJSON()) == receipt)
            #expect(try UnverifiedReceipt(json: receipt.nodeJSON()) == receipt)
            let rendered = try JSONSerialization.jsonObject(with: Data(receipt.nodeJSON())) as! NSDictionary
            #expect(rendered == json as! NSDictionary)
        }
    }

    /// The worked example of Documentation/spec/receipt-json.md.
    @Test func workedExample() throws {
        let example = try VectorFile.object("receipt_example.json")
        let verifier = try ReceiptVerifier(serviceCertificatePEM: example["serviceCertificate"] as! String)
        let document = try UnverifiedReceiptDocument(
            json: VectorFile.json(["receipt": example["receipt"]!, "applicationClaims": example["applicationClaims"]!]))
        #expect(document.receipt.leaf.digest.hex == "95470d111cefdda3c33fc4264e9dc426a18b223df4faf331272cbd142c07ef41")
        let verified = try #require(verifier.verify(document).value)
        #expect(verified.claimsChecked)
        #expect(verified.transactionID?.description == "2.15")
        #expect(verified.claimsDigest?.hex == "f929bb631798f79645d45c5dcc4e79b7d27d23d505b14ff0b85b1e2902af4059")
        #expect(verified.root == document.receipt.root())
        let empty = verifier.verify(document.receipt, claims: [])
        #expect(empty.findings.map(\.code) == [.claimsMismatch])

        // The same leaf under a shorter path, from the same page.
        let short = InclusionProof(steps: [
            .left(SHA256Hashing.digest(utf8: "A")), .right(SHA256Hashing.digest(utf8: "B")),
        ])
        #expect(
            short.root(of: verified.leaf).hex == "7da89ed98b0635b65f4e28c933654b4797b6348e16c16bc0abb5a6f86607b3a0")
        let app = try JSONSerialization.jsonObject(with: Data(document.receipt.appJSON())) as! NSDictionary
        #expect(app == example["receipt"] as! NSDictionary)
    }

    @Test func oldReceiptsNeedTheirEndorsement() throws {
        let vectors = try VectorFile.object("ccf/receipts_recovered.json")
        let verifier = try ReceiptVerifier(serviceCertificatePEM: vectors["service_cert"] as! String)
        let receipts = vectors["receipts"] as! [String: Any]
        var receipt = try UnverifiedReceipt(json: VectorFile.json(receipts["2.12"]!))
        receipt.serviceEndorsements = []
        #expect(verifier.verify(receipt).findings.map(\.code).contains(.endorsementInvalid))
    }

    @Test func expiredCertificatesAreANote() throws {
        let vectors = try VectorFile.object("ccf/receipts.json")
        let verifier = try ReceiptVerifier(serviceCertificatePEM: vectors["service_cert"] as! String)
        let receipt = try UnverifiedReceipt(json: VectorFile.json((vectors["receipts"] as! [String: Any])["11"]!))
        for time: Int64 in [0, 4_000_000_000] {
            let verified = try #require(verifier.verify(receipt, at: time).value)
            #expect(verified.notes.map(\.code) == [.certificateDates, .certificateDates])
        }
        #expect(verifier.verify(receipt).value?.notes == [])
    }

    struct COSEVectors: Decodable {
        struct Receipt: Decodable {
            var claimsDigest: String
            var receiptHex: String
            var seqno: UInt64
        }
        var receipts: [Receipt]
        var servicePublicKeyPem: String
    }

    struct RootVector: Decodable {
        var coseSign1Hex: String
        var root: String
        var seqno: UInt64
        var toBeSignedHex: String
    }

    static func serviceVerifier() throws -> ReceiptVerifier {
        try ReceiptVerifier(serviceCertificatePEM: VectorFile.object("ccf/receipts.json")["service_cert"] as! String)
    }

    @Test func coseReceipts() throws {
        let vectors = try VectorFile.decode(COSEVectors.self, "ccf/cose_receipts.json")
        let roots = try VectorFile.decode([RootVector].self, "ccf/cose_root_signatures.json")
        let verifier = try Self.serviceVerifier()
        #expect(vectors.receipts.count == 9)
        for vector in vectors.receipts {
            let bytes = try #require(Hex.decode(vector.receiptHex))
            let receipt = try UnverifiedCOSEReceipt(cose: bytes)
            let verdict = verifier.verify(receipt)
            let verified = try #require(verdict.value, "\(vector.seqno): \(verdict.findings)")
            #expect(verified.transactionID?.seqno.rawValue == vector.seqno)
            #expect(verified.claimsDigest?.hex == vector.claimsDigest)
            #expect(verified.serviceKeyID == verifier.serviceKey.nodeID)

            // The same receipt, made from the root signature in the ledger.
            let root = try #require(roots.first { $0.seqno == receipt.rootSignature.txid.seqno.rawValue })
            #expect(verified.root.hex == root.root)
            let made = try COSERootSignature.receipt(
                rootSignature: try #require(Hex.decode(root.coseSign1Hex)), leaf: receipt.leaf, proof: receipt.proof)
            #expect(made == bytes)
        }
    }

    @Test func coseRootSignatures() throws {
        let vectors = try VectorFile.decode([RootVector].self, "ccf/cose_root_signatures.json")
        let serviceKey = try SigningPublicKey(
            pem: VectorFile.decode(COSEVectors.self, "ccf/cose_receipts.json").servicePublicKeyPem)
        let service = try VectorFile.object("ccf/keys.json")["service"] as! [String: Any]
        let privateKey = try P384.Signing.PrivateKey(pemRepresentation: service["private_pem"] as! String)
        #expect(vectors.count == 7)
        for vector in vectors {
            let bytes = try #require(Hex.decode(vector.coseSign1Hex))
            let root = try #require(Digest32(hex: vector.root))
            let signature = try COSERootSignature(cose: bytes)
            #expect(signature.verify(root: root, key: serviceKey) == .verified(root))
            #expect(signature.verify(root: .zero, key: serviceKey).findings.map(\.code) == [.signatureInvalid])
            #expect(signature.txid.seqno.rawValue == vector.seqno)

            // Signing the same facts gives the same bytes up to the signature itself.
            let made = try COSERootSignature.sign(
                root: root, txid: signature.txid, issuedAt: signature.issuedAt, issuer: signature.issuer,
                subject: signature.subject, key: privateKey, keyID: serviceKey.nodeID)
            #expect(made.dropLast(96) == bytes.dropLast(96))
            #expect(try COSERootSignature(cose: made).verify(root: root, key: serviceKey).isVerified)
            let other = P384.Signing.PrivateKey().publicKey
            #expect(signature.verify(root: root, key: .p384(other)).findings.map(\.code) == [.serviceKeyMismatch])
        }
    }

    @Test func everyOneByteChangeOfACOSEReceiptIsRejected() throws {
        let vectors = try VectorFile.decode(COSEVectors.self, "ccf/cose_receipts.json")
        let verifier = try Self.serviceVerifier()
        // The lowest bit of every byte of every vector, and each bit of every byte of the shortest.
        for vector in vectors.receipts {
            let bytes = try #require(Hex.decode(vector.receiptHex))
            for offset in bytes.indices {
                #expect(!Self.accepts(bytes, offset, 1, verifier), "seqno \(vector.seqno), byte \(offset)")
            }
            for offset in bytes.indices {
                #expect((try? UnverifiedCOSEReceipt(cose: Array(bytes.prefix(offset)))) == nil)
            }
        }
        let shortest = try #require(
            vectors.receipts.compactMap { Hex.decode($0.receiptHex) }.min { $0.count < $1.count })
        for offset in shortest.indices {
            for mask: UInt8 in [2, 4, 8, 16, 32, 64, 128, 255] where Self.accepts(shortest, offset, mask, verifier) {
                Issue.record("byte \(offset), mask \(mask)")
            }
        }
    }

    static func accepts(_ bytes: [UInt8], _ offset: Int, _ mask: UInt8, _ verifier: ReceiptVerifier) -> Bool {
        var changed = bytes
        changed[offset] ^= mask
        guard let receipt = try? UnverifiedCOSEReceipt(cose: changed) else { return false }
        return verifier.verify(receipt).isVerified
    }

    @Test func coseProofShapeIsChecked() throws {
        // A leaf that stands elsewhere: the path still leads to the signed root, but not from its own position.
        let key = P384.Signing.PrivateKey()
        let publicKey = SigningPublicKey.p384(key.publicKey)
        let evidence = "ce:2.1:" + String(repeating: "ab", count: 32)
        let leaf = LeafComponents(writeSetDigest: .zero, commitEvidence: evidence, claimsDigest: .zero)
        let proof = InclusionProof(steps: [.right(.zero)])
        let cose = try COSERootSignature.sign(
            root: proof.root(of: leaf.leaf()), txid: TransactionID(view: View(2), seqno: SequenceNumber(2)),
            issuedAt: 0, issuer: "i", subject: "s", key: key, keyID: publicKey.nodeID)
        let receipt = try UnverifiedCOSEReceipt(
            cose: COSERootSignature.receipt(rootSignature: cose, leaf: leaf, proof: proof))
        #expect(try Self.serviceVerifier().verify(receipt).findings.map(\.code) == [.proofShape, .serviceKeyMismatch])
    }

    /// A receipt that the service itself signed.
    static func signedByTheService(_ evidence: String, at txid: String) throws -> [UInt8] {
        let service = try VectorFile.object("ccf/keys.json")["service"] as! [String: Any]
        let key = try P384.Signing.PrivateKey(pemRepresentation: service["private_pem"] as! String)
        let leaf = LeafComponents(
            writeSetDigest: .zero, commitEvidence: evidence + String(repeating: "ab", count: 32), claimsDigest: .zero)
        let proof = InclusionProof(steps: [.left(.zero)])
        let signature = try COSERootSignature.sign(
            root: proof.root(of: leaf.leaf()), txid: try #require(TransactionID(txid)), issuedAt: 0, issuer: "i",
            subject: "s", key: key, keyID: serviceVerifier().serviceKey.nodeID)
        return try COSERootSignature.receipt(rootSignature: signature, leaf: leaf, proof: proof)
    }

    /// No signature covers a transaction of a later view.
    @Test func coseSignatureIsNotOfAnEarlierViewThanItsLeaf() throws {
        let verifier = try Self.serviceVerifier()
        for (evidence, codes) in [("ce:2.1:", []), ("ce:3.1:", [VerificationFinding.Code.proofShape])] {
            let receipt = try UnverifiedCOSEReceipt(cose: Self.signedByTheService(evidence, at: "2.2"))
            #expect(verifier.verify(receipt).findings.map(\.code) == codes)
        }
    }

    /// What no signature covers, and readers could take in several ways, is refused.
    @Test func coseReceiptsHaveOneProofAndNothingElse() throws {
        let bytes = try Self.signedByTheService("ce:2.1:", at: "2.2")
        guard case .tagged(let tag, .array(let parts)) = try CBOR(decoding: bytes),
            let header = parts[1].map?.first, let proofs = header.value.map?.first, let list = proofs.value.array
        else {
            Issue.record("not a receipt")
            return
        }
        func refused(_ part: Int, _ value: CBOR) throws {
            var changed = parts
            changed[part] = value
            let cose = CBOR.tagged(tag, .array(changed)).encoded()
            #expect(throws: ProofError(code: .invalidMember, reason: ""), "\(value)") {
                try UnverifiedCOSEReceipt(cose: cose)
            }
        }
        func proof(_ list: [CBOR], _ more: [CBOR.Pair] = []) -> CBOR {
            .map([.init(header.key, .map([.init(proofs.key, .array(list))]))] + more)
        }
        #expect(try CBOR(decoding: bytes) == .tagged(tag, .array([parts[0], proof(list), .null, parts[3]])))
        try refused(1, proof(list + list))
        try refused(1, proof([]))
        try refused(1, proof(list, [.init(.unsigned(4), .bytes([]))]))
        try refused(2, .bytes([UInt8](repeating: 0, count: 32)))
        // In the ledger it has no proof beside it.
        #expect(throws: ProofError(code: .unexpectedMember, reason: "")) { try COSERootSignature(cose: bytes) }
    }

    /// The answer must be the one that was asked for, too, not only the receipt in it.
    @Test func responseNamesTheExpectedTransaction() throws {
        let example = try VectorFile.object("receipt_example.json")
        let verifier = try ReceiptVerifier(serviceCertificatePEM: example["serviceCertificate"] as! String)
        var document = try UnverifiedReceiptDocument(json: VectorFile.json(["receipt": example["receipt"]!]))
        let expected = try #require(TransactionID("2.15"))
        document.transactionID = expected
        #expect(verifier.verify(document, expecting: expected).isVerified)
        document.transactionID = TransactionID("2.16")
        #expect(verifier.verify(document, expecting: expected).findings.map(\.code) == [.transactionMismatch])
    }
}
