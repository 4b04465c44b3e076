import LedgerProofs

extension VerificationReport {
    /// The report for machines: one JSON object, format `indelible/report/1`, members sorted.
    public var json: String { String(decoding: jsonValue.canonicalBytes(), as: UTF8.self) }

    package var jsonValue: JSONValue {
        .object([
            "anchored_through_block": .optional(anchoredThrough?.rawValue),
            "counts": .object([
                "blocks": .integer(counts.blocks), "leaves": .integer(counts.leaves),
                "row_versions": .integer(counts.rowVersions), "tables": .integer(counts.tables),
                "transactions": .integer(counts.transactions),
            ]),
            "database_name": .optional(databaseName),
            "digests": .object([
                "given": .integer(UInt64(digestCount)), "matching": .integer(UInt64(matchingDigestCount)),
                "earliest_good": firstGoodDigest?.jsonValue ?? .null,
                "last_good": lastGoodDigest?.jsonValue ?? .null,
            ]),
            "exit_code": .integer(UInt64(exitCode)),
            "findings": .array(findings.map(\.jsonValue)),
            "format": .string("indelible/report/1"),
            "ledger_id": .optional(ledger?.hex),
            "notes": .array(notes.map { .string($0) }),
            "seconds": .number(Self.decimal(seconds)),
            "since_block": .optional(sinceBlock?.rawValue),
            "source": .string(source),
            "start_time": .string(startTime.description),
            "tables": tables.map { .array($0.map { .string($0) }) } ?? .null,
            "tail": tail.map {
                .object(["seconds": .number(Self.decimal($0.seconds)), "transactions": .integer($0.transactions)])
            } ?? .null,
            "verdict": .string(verdict.rawValue),
        ])
    }

    /// Three decimals, without an exponent.
    static func decimal(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return "0" }
        let thousandths = Int64((value.magnitude * 1000).rounded())
        let fraction = String(1000 + thousandths % 1000).dropFirst()
        return "\(value < 0 ? "-" : "")\(thousandths / 1000).\(fraction)"
    }
}

extension Finding {
    package var jsonValue: JSONValue {
        .object([
            "block": .optional(block?.rawValue), "certainty": .string(certainty.rawValue),
            "code": .string(code.rawValue), "columns": .array(columns.map { .string($0) }),
            "count": .integer(count), "expected": .optional(expected), "found": .optional(found),
            "key": .array(key.map(\.jsonValue)),
            "last_good_digest": .optional(lastGoodDigest?.rawValue), "object": .string(object),
            "principal": .optional(principal), "reason": .string(reason), "repair": repair?.jsonValue ?? .null,
            "sequence": .optional(sequence?.rawValue), "time": .optional(time?.description),
            "transaction": .optional(transaction?.rawValue),
        ])
    }
}

extension NamedValue {
    var jsonValue: JSONValue { .object(["column": .string(name), "value": .string(value.literal(limit: 1000))]) }
}

extension RepairProposal {
    var jsonValue: JSONValue {
        .object([
            "action": .string(action.rawValue), "explanation": .string(explanation),
            "key": .array(key.map(\.jsonValue)), "table": .string(table),
            "values": .array(values.map(\.jsonValue)),
        ])
    }
}

extension JSONValue {
    static func optional(_ number: UInt64?) -> JSONValue { number.map { .integer($0) } ?? .null }
}
