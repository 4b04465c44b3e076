extension UnverifiedReceipt {
    /// The `receipt` object of `GET /app/transactions/{id}/receipt`, compact, names in camelCase.
    public func appJSON() -> [UInt8] {
        var out = JSONWriter(capacity: byteCountEstimate)
        out.raw("{\"cert\":")
        out.string(certificatePEM)
        switch leaf {
        case .components(let components):
            out.raw(",\"leafComponents\":{\"claimsDigest\":")
            out.hex(components.claimsDigest)
            out.raw(",\"commitEvidence\":")
            out.string(components.commitEvidence)
            out.raw(",\"writeSetDigest\":")
            out.hex(components.writeSetDigest)
            out.raw("}")
        case .signedRoot(let root):
            out.raw(",\"leaf\":")
            out.hex(root)
        }
        if let nodeID {
            out.raw(",\"nodeId\":")
            out.string(nodeID)
        }
        append(proof, to: &out)
        out.raw(",\"serviceEndorsements\":")
        appendEndorsements(to: &out)
        out.raw(",\"signature\":")
        out.base64(signature)
        out.raw("}")
        return out.bytes
    }

    /// The body of `GET …/receipt` of the node endpoints, compact, names in snake_case. The endorsements are
    /// present only when there are any.
    public func nodeJSON() -> [UInt8] {
        var out = JSONWriter(capacity: byteCountEstimate)
        out.raw("{\"cert\":")
        out.string(certificatePEM)
        switch leaf {
        case .components(let components):
            out.raw(",\"leaf_components\":{\"claims_digest\":")
            out.hex(components.claimsDigest)
            out.raw(",\"commit_evidence\":")
            out.string(components.commitEvidence)
            out.raw(",\"write_set_digest\":")
            out.hex(components.writeSetDigest)
            out.raw("}")
        case .signedRoot(let root):
            out.raw(",\"leaf\":")
            out.hex(root)
        }
        if let nodeID {
            out.raw(",\"node_id\":")
            out.string(nodeID)
        }
        append(proof, to: &out)
        if !serviceEndorsements.isEmpty {
            out.raw(",\"service_endorsements\":")
            appendEndorsements(to: &out)
        }
        out.raw(",\"signature\":")
        out.base64(signature)
        out.raw("}")
        return out.bytes
    }

    private var byteCountEstimate: Int {
        serviceEndorsements.reduce(certificatePEM.utf8.count + 64) { $0 + $1.utf8.count + 64 }
            + proof.steps.count * 80 + signature.count * 2 + 600
    }

    private func append(_ proof: InclusionProof, to out: inout JSONWriter) {
        out.raw(",\"proof\":[")
        var isFirst = true
        for step in proof.steps {
            if !isFirst { out.raw(",") }
            isFirst = false
            out.raw(step.isLeft ? "{\"left\":" : "{\"right\":")
            out.hex(step.sibling)
            out.raw("}")
        }
        out.raw("]")
    }

    private func appendEndorsements(to out: inout JSONWriter) {
        out.raw("[")
        var isFirst = true
        for endorsement in serviceEndorsements {
            if !isFirst { out.raw(",") }
            isFirst = false
            out.string(endorsement)
        }
        out.raw("]")
    }
}
