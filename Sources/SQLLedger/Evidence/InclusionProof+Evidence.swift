import LedgerProofs

extension InclusionProof {
    /// Reads a path of a bundle: from the leaf to the root, `L` or `R` for the side of the sibling, and its digits.
    init(evidence items: [JSONValue]) throws(ProofError) {
        guard items.count <= Self.maximumStepCount else { throw .outOfRange("a path has too many steps") }
        var steps: [ProofStep] = []
        for item in items {
            guard let text = item.string, let digest = Digest32(hex: text.dropFirst()), digest.hex == text.dropFirst()
            else { throw .invalid("a step of a path is not L or R and 64 lower-case hexadecimal digits") }
            switch text.first {
            case "L": steps.append(.left(digest))
            case "R": steps.append(.right(digest))
            default: throw .invalid("a step of a path is not L or R and 64 lower-case hexadecimal digits")
            }
        }
        self.init(steps: steps)
    }

    /// The path as a bundle has it.
    var evidenceJSON: JSONValue {
        .array(steps.map { .string(($0.isLeft ? "L" : "R") + $0.sibling.hex) })
    }
}
