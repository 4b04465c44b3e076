import LedgerProofs

/// The result of verifying a ledger directory.
public struct LedgerVerificationReport: Hashable, Sendable {
    public enum Outcome: String, Hashable, Sendable {
        /// Everything that was read is covered by valid signatures, except the unsigned tail, which is counted.
        case ok
        /// At least one proof failed.
        case failed
        /// Nothing is wrong with what was read, but it proves nothing: no signature, no file, or unreadable.
        case unableToTell
    }

    public var outcome: Outcome = .unableToTell
    /// Entries read.
    public var transactions: UInt64 = 0
    /// Signature transactions whose every signature verified.
    public var verifiedSignatureTransactions: UInt64 = 0
    /// Raw node signatures found, valid or not.
    public var rawSignatures: UInt64 = 0
    /// COSE service signatures found, valid or not.
    public var coseSignatures: UInt64 = 0
    /// The newest signature transaction before which nothing was found.
    public var verifiedTo: TransactionID?
    /// The last transaction read.
    public var lastTransaction: TransactionID?
    /// Transactions after the newest signature. No signature covers them.
    public var unsignedTail: UInt64 = 0
    public var findings: [LedgerFinding] = []
    /// Findings that were counted but not kept.
    public var findingsLeftOff: UInt64 = 0
    /// What was not checked, and other things a reader should know.
    public var notes: [String] = []
    /// SHA-256 of the newest service certificate's DER, hexadecimal.
    public var serviceCertificateFingerprint: String?
    /// SHA-256 of the newest service key's DER, hexadecimal: the key id of COSE signatures.
    public var serviceKeyID: String?
    /// The newest service certificate.
    public var serviceCertificatePEM: String?
    public var serviceStatus: String?
    public var chunks: Int = 0
    public var bytesRead: UInt64 = 0

    public init() {}

    /// The report as JSON for programs.
    public func json() -> JSONValue {
        func text(_ value: (some CustomStringConvertible)?) -> JSONValue {
            value.map { .string($0.description) } ?? .null
        }
        func number(_ value: UInt64) -> JSONValue { Int64(exactly: value).map { .integer($0) } ?? .unsigned(value) }
        return .object([
            "outcome": .string(outcome.rawValue),
            "transactions": number(transactions),
            "verifiedSignatureTransactions": number(verifiedSignatureTransactions),
            "rawSignatures": number(rawSignatures),
            "coseSignatures": number(coseSignatures),
            "verifiedTo": text(verifiedTo),
            "lastTransaction": text(lastTransaction),
            "unsignedTail": number(unsignedTail),
            "findings": .array(
                findings.map {
                    .object([
                        "code": .string($0.code.description), "file": text($0.file),
                        "offset": $0.offset.map(number) ?? .null, "seqno": ($0.seqno?.rawValue).map(number) ?? .null,
                        "reason": .string($0.reason),
                    ])
                }),
            "findingsLeftOff": number(findingsLeftOff),
            "notes": .array(notes.map { .string($0) }),
            "serviceCertificateFingerprint": text(serviceCertificateFingerprint),
            "serviceKeyId": text(serviceKeyID),
            "serviceStatus": text(serviceStatus),
            "chunks": .integer(Int64(chunks)),
            "bytesRead": number(bytesRead),
        ])
    }
}
