import LedgerProofs

/// What only few entries have: problems, and writes to the tables that the verifier follows.
final class EntryDetail: Sendable {
    /// A decoded row, or why it cannot be decoded.
    typealias Row<Value: Sendable> = Result<Value, RowProblem>

    /// The sentence for the finding.
    struct RowProblem: Error {
        var reason: String
    }

    /// The tables that are followed, signature tables included.
    let maps: [MapWrites]
    let raws: [Row<RawSignature>]
    let coses: [Row<COSERootSignature>]
    let trees: [Row<SerialisedTree>]
    /// Why the entry cannot be read.
    let problem: LedgerFormatError?
    let authenticationProblem: LedgerFormatError?
    let hasWrongCommitEvidence: Bool
    let hasClaims: Bool
    /// Whether the transaction touches tables that are not followed, or has a private domain.
    let hasOtherTables: Bool

    init(
        maps: [MapWrites] = [], problem: LedgerFormatError? = nil, authenticationProblem: LedgerFormatError? = nil,
        hasWrongCommitEvidence: Bool = false, hasClaims: Bool = false, hasOtherTables: Bool = false
    ) {
        func rows<Value>(_ name: MapName, _ decode: ([UInt8]) -> Row<Value>) -> [Row<Value>] {
            maps.filter { $0.name == name }.flatMap { $0.writes.map { decode($0.value) } }
        }
        self.maps = maps
        raws = rows(.signatures, Self.raw)
        coses = rows(.coseSignatures, Self.cose)
        trees = rows(.tree, Self.tree)
        self.problem = problem
        self.authenticationProblem = authenticationProblem
        self.hasWrongCommitEvidence = hasWrongCommitEvidence
        self.hasClaims = hasClaims
        self.hasOtherTables = hasOtherTables
    }

    private static func raw(_ value: [UInt8]) -> Row<RawSignature> {
        do {
            return .success(try RawSignature(decoding: value))
        } catch {
            return .failure(RowProblem(reason: error.description))
        }
    }

    private static func cose(_ value: [UInt8]) -> Row<COSERootSignature> {
        let bytes: [UInt8]
        do {
            bytes = try JSONBytes(decoding: value).bytes
        } catch {
            return .failure(RowProblem(reason: error.description))
        }
        do {
            return .success(try COSERootSignature(cose: bytes))
        } catch {
            return .failure(RowProblem(reason: error.description))
        }
    }

    private static func tree(_ value: [UInt8]) -> Row<SerialisedTree> {
        do {
            return .success(try SerialisedTree(decoding: value))
        } catch {
            return .failure(RowProblem(reason: error.reason))
        }
    }
}
