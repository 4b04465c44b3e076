import LedgerProofs
import Testing

@testable import LedgerFormat

/// Ledgers in which the identity of the service changes, honestly or not.
@Suite struct IdentityChangeTests {
    let genuine: TestIdentity
    let other: TestIdentity

    init() throws {
        genuine = try TestIdentity.standard()
        other = try TestIdentity.small()
    }

    func verify(_ ledger: TestLedger, pinned: TestIdentity?) throws -> LedgerVerificationReport {
        let directory = try TemporaryDirectory()
        try directory.write("ledger_1", ledger.chunk(1...ledger.entries.count, isComplete: false))
        var options = LedgerVerificationOptions()
        options.expectedServiceCertificatePEM = pinned?.serviceCertificate
        return LedgerDirectoryVerifier(path: directory.path, options: options).verify()
    }

    func raw(_ shape: inout SignatureShape) { shape.hasCOSE = false }

    // MARK: Forged without any key of the service

    /// A ledger of the attacker's own, with the genuine certificate written in at the end.
    @Test func genuineCertificateInAnotherLedger() throws {
        var ledger = try TestLedger(other, signature: raw)
        try ledger.addRow()
        try ledger.write(identity: genuine)
        try ledger.sign(raw)
        let report = try verify(ledger, pinned: genuine)
        #expect(report.outcome == .failed)
        #expect(report.findings.map(\.code) == [.node, .serviceCertificate])
        #expect(report.verifiedTo?.description == "2.2")
        #expect(try verify(ledger, pinned: nil).outcome == .failed)
    }

    /// The attacker's node gets its endorsement while his certificate stands in `service.info`, and signs on after
    /// the genuine one is back.
    @Test func genuineLedgerSignedOnByAnotherNode() throws {
        var ledger = try TestLedger(genuine)
        try ledger.write(identity: other)
        try ledger.write(identity: genuine)
        try ledger.addRow()
        ledger.identity = other
        try ledger.sign(raw)
        let report = try verify(ledger, pinned: genuine)
        #expect(report.outcome == .failed)
        #expect(report.findings.map(\.code) == [.node, .serviceCertificate, .serviceCertificate])
        #expect(report.verifiedTo?.description == "2.2")
    }

    /// Signed by the attacker under his own certificate; the genuine one comes back behind the newest signature.
    @Test func genuineCertificateBehindTheNewestSignature() throws {
        var ledger = try TestLedger(genuine)
        ledger.identity = other
        try ledger.write(identity: other)
        try ledger.sign()
        try ledger.write(identity: genuine)
        let report = try verify(ledger, pinned: genuine)
        #expect(report.outcome == .failed)
        #expect(Set(report.findings.map(\.code)) == [.serviceCertificate])
        #expect(report.findings.contains { $0.reason.contains("newest signature") })
        #expect(try verify(ledger, pinned: nil).outcome == .ok, "nothing says which identity is the genuine one")
    }

    // MARK: Recovered

    /// What `endorsement` makes of the correct one.
    struct Shape {
        var key: SigningPublicKey
        var epochEnd: String? = "2.2"
        var root: Digest32?
        var signer: TestKey
        var isChanged = false
    }

    func row(_ shape: Shape) throws -> [UInt8] {
        var epoch: [CBOR.Pair] = [.init(.text("epoch.start.txid"), .text("2.1"))]
        if let end = shape.epochEnd { epoch.append(.init(.text("epoch.end.txid"), .text(end))) }
        if let root = shape.root { epoch.append(.init(.text("epoch.end.merkle.root"), .bytes(root.bytes))) }
        let algorithm: Int64 = if case .p256 = shape.signer { -7 } else { -35 }
        let protected = CBOR.map([
            .init(.unsigned(1), .integer(algorithm)), .init(.unsigned(15), .map([.init(.unsigned(6), .unsigned(1))])),
            .init(.text("ccf.v1"), .map(epoch)),
        ]).encoded()
        let payload = shape.key.derRepresentation
        let signed = CBOR.array([.text("Signature1"), .bytes(protected), .bytes([]), .bytes(payload)]).encoded()
        var signature = try shape.signer.hashed(signed).raw
        if shape.isChanged { signature[5] ^= 1 }
        let cose = CBOR.tagged(18, .array([.bytes(protected), .map([]), .bytes(payload), .bytes(signature)])).encoded()
        let begin = TransactionID(view: .initial, seqno: SequenceNumber(1))
        return PreviousServiceIdentityEndorsement(
            endorsement: cose,
            endorsingKey: try SigningPublicKey(certificatePEM: other.serviceCertificate)
                .derRepresentation,
            epochBegin: begin, epochEnd: shape.epochEnd.flatMap { TransactionID($0) }
        ).encoded()
    }

    /// Transactions 1 and 2 of the genuine service, then the other one takes over.
    func recovered(_ change: (inout Shape) throws -> Void) throws -> TestLedger {
        var ledger = try TestLedger(genuine)
        ledger.identity = other
        let root = try signedRoot(ledger)
        try ledger.write(identity: other)
        try ledger.sign()
        var shape = Shape(
            key: try SigningPublicKey(certificatePEM: genuine.serviceCertificate), root: root,
            signer: other.serviceKey)
        try change(&shape)
        var writes = WriteSet()
        writes.put(.previousServiceIdentityEndorsement, key: zeroKey, value: try row(shape))
        try ledger.add(writes)
        try ledger.sign()
        return ledger
    }

    func signedRoot(_ ledger: TestLedger) throws -> Digest32 {
        let maps = try Entry(decoding: ledger.entries[1]).publicDomain.maps
        let value = try #require(maps.first { $0.name == .signatures }?.value(for: zeroKey))
        return try RawSignature(decoding: value).root
    }

    @Test func endorsedIdentityIsFine() throws {
        let report = try verify(try recovered { _ in }, pinned: other)
        #expect(report.outcome == .ok, "\(report.findings)")
        #expect(report.notes.contains("the service identity changed at 2.3"))
        #expect(try verify(try recovered { $0.root = nil }, pinned: other).outcome == .ok)
        #expect(try verify(try recovered { _ in }, pinned: genuine).outcome == .failed, "the newest one is pinned")
    }

    @Test(arguments: 0..<6)
    func identityWithoutEndorsement(fault: Int) throws {
        let otherKey = try SigningPublicKey(certificatePEM: other.serviceCertificate)
        let ledger = try recovered { shape in
            switch fault {
            case 0: shape.isChanged = true
            case 1: shape.signer = genuine.serviceKey
            case 2: shape.key = otherKey
            case 3: shape.epochEnd = nil
            case 4: shape.epochEnd = "2.1"
            default: shape.root = .zero
            }
        }
        let report = try verify(ledger, pinned: other)
        #expect(report.outcome == .failed)
        #expect(report.findings.map(\.code) == [.serviceCertificate])
        #expect(report.findings.first?.reason.contains("2.3") == true)
        #expect(try verify(ledger, pinned: nil).outcome == .ok)
    }
}
