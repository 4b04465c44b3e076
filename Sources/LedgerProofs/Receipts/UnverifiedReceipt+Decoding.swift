extension UnverifiedReceipt {
    /// A chain of services is never this long; more endorsements are refused.
    static let maximumEndorsementCount = 32

    /// Reads a receipt in either spelling of member names.
    ///
    /// - Throws: `ProofError` of any decoding code. No signature, certificate or digest is checked here.
    public init(json: [UInt8], limits: DecodingLimits = DecodingLimits()) throws(ProofError) {
        try self.init(try JSONValue(json: json, limits: limits))
    }

    init(_ value: JSONValue) throws(ProofError) {
        let members = try JSONMembers(value, "the receipt")
        certificatePEM = try members.string("cert")
        guard let signature = Base64.decode(try members.string("signature")) else {
            throw .invalid("signature is not base64")
        }
        self.signature = signature
        nodeID = members["nodeId"] == nil ? nil : try members.string("nodeId")
        serviceEndorsements = []
        if members["serviceEndorsements"] != nil {
            let endorsements = try members.array("serviceEndorsements")
            guard endorsements.count <= Self.maximumEndorsementCount else {
                throw .outOfRange("there are too many service endorsements")
            }
            for endorsement in endorsements {
                guard let pem = endorsement.string else { throw .invalid("a service endorsement is not a string") }
                serviceEndorsements.append(pem)
            }
        }
        proof = try Self.proof(try members.array("proof"))

        // Old services add the leaf to its components. It must then agree; alone it is a signed root.
        let hasLeaf = members["leaf"].map { $0 != .null } ?? false
        if members["leafComponents"] != nil {
            let components = try Self.components(try members.value("leafComponents"))
            leaf = .components(components)
            if hasLeaf, try members.digest("leaf") != components.leaf() {
                throw .invalid("leaf does not agree with leafComponents")
            }
        } else {
            guard hasLeaf else { throw .missing("leafComponents is missing") }
            leaf = .signedRoot(try members.digest("leaf"))
            guard proof.steps.isEmpty else { throw .invalid("a signed root has a proof") }
        }
    }

    private static func components(_ value: JSONValue) throws(ProofError) -> LeafComponents {
        let members = try JSONMembers(value, "leafComponents")
        try members.requireOnly(["writeSetDigest", "commitEvidence", "claimsDigest"], "leafComponents")
        // The official clients compare the claims digest as text, so it exists in lower case only.
        guard try members.string("claimsDigest").utf8.allSatisfy(Hex.isLowerCaseDigit) else {
            throw .invalid("claimsDigest is not 64 lower-case hexadecimal digits")
        }
        return LeafComponents(
            writeSetDigest: try members.digest("writeSetDigest"),
            commitEvidence: try members.string("commitEvidence"),
            claimsDigest: try members.digest("claimsDigest"))
    }

    private static func proof(_ items: [JSONValue]) throws(ProofError) -> InclusionProof {
        guard items.count <= InclusionProof.maximumStepCount else { throw .outOfRange("the proof is too long") }
        var steps: [ProofStep] = []
        steps.reserveCapacity(items.count)
        for item in items {
            guard let step = item.object, step.count == 1 else { throw .invalid("a proof step has not one side") }
            guard let sibling = step[0].value.string.flatMap({ Digest32(hex: $0) }) else {
                throw .invalid("a proof step is not 64 hexadecimal digits")
            }
            switch step[0].name {
            case "left": steps.append(.left(sibling))
            case "right": steps.append(.right(sibling))
            default: throw .unexpected("a proof step is neither left nor right")
            }
        }
        return InclusionProof(steps: steps)
    }
}
