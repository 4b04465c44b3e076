/// The JSON schemas of the OpenAPI document, by name.
enum OpenAPISchemas {
    private static let text: JSONValue = ["type": "string"]
    private static let link: JSONValue = [
        "type": "string", "description": "A path relative to the endpoint; absent on the last page.",
    ]

    private static func object(_ members: [(String, JSONValue)], required: [String] = []) -> JSONValue {
        var schema: [(name: String, value: JSONValue)] = [
            ("type", "object"), ("properties", .object(members.map { ($0.0, $0.1) })),
        ]
        if !required.isEmpty { schema.append(("required", .strings(required))) }
        return .object(schema)
    }

    private static func list(_ items: JSONValue, atMost count: Int? = nil) -> JSONValue {
        guard let count else { return ["type": "array", "items": items] }
        return ["type": "array", "items": items, "maxItems": .number(UInt64(count))]
    }
    private static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    /// What one call may make or change.
    private static let roles = list(reference("Role"), atMost: 256)

    static let all: [(name: String, schema: JSONValue)] = [
        ("Object", ["type": "object"]),
        (
            "Error",
            object(
                [("error", object([("code", text), ("message", text)], required: ["code", "message"]))],
                required: ["error"])
        ),
        (
            "CreateEntry",
            object(
                [
                    ("contents", text),
                    ("preHooks", ["type": "array", "maxItems": 0]), ("postHooks", ["type": "array", "maxItems": 0]),
                ], required: ["contents"])
        ),
        (
            "CreateResult",
            object(
                [
                    ("collectionId", text), ("transactionId", text), ("state", text), ("receipt", reference("Receipt")),
                    ("applicationClaims", list(reference("ApplicationClaim"))),
                ], required: ["collectionId"])
        ),
        (
            "Entry",
            object(
                [
                    ("contents", text), ("collectionId", text), ("transactionId", text), ("tags", list(text)),
                    ("author", text), ("time", ["type": "string", "format": "date-time"]),
                ], required: ["contents", "collectionId", "transactionId"])
        ),
        ("EntryResult", object([("state", text), ("entry", reference("Entry"))], required: ["state"])),
        (
            "EntryPage",
            object(
                [("state", text), ("entries", list(reference("Entry"))), ("nextLink", link)],
                required: ["state", "entries"])
        ),
        (
            "Status",
            object(
                [("state", ["type": "string", "enum": ["Pending", "Committed"]]), ("transactionId", text)],
                required: ["state", "transactionId"])
        ),
        (
            "Receipt",
            object(
                [
                    ("cert", text),
                    (
                        "leafComponents",
                        object([("claimsDigest", text), ("commitEvidence", text), ("writeSetDigest", text)])
                    ),
                    ("nodeId", text), ("proof", list(object([("left", text), ("right", text)]))),
                    ("serviceEndorsements", list(text)), ("signature", text),
                ], required: ["cert", "proof", "signature", "serviceEndorsements"])
        ),
        (
            "ReceiptResult",
            object(
                [
                    ("state", text), ("transactionId", text), ("receipt", reference("Receipt")),
                    ("applicationClaims", list(reference("ApplicationClaim"))),
                ], required: ["state", "transactionId", "receipt"])
        ),
        (
            "ApplicationClaim",
            object(
                [
                    ("kind", ["type": "string", "enum": ["LedgerEntry", "ClaimDigest"]]),
                    (
                        "ledgerEntry",
                        object([("protocol", text), ("collectionId", text), ("contents", text), ("secretKey", text)])
                    ), ("digest", object([("protocol", text), ("value", text)])),
                ], required: ["kind"])
        ),
        (
            "CollectionPage",
            object(
                [
                    ("collections", list(object([("collectionId", text)], required: ["collectionId"]))),
                    ("nextLink", link),
                ],
                required: ["collections"])
        ),
        ("TagPage", object([("tags", list(text)), ("nextLink", link)], required: ["tags"])),
        ("User", object([("userId", text), ("assignedRole", text)], required: ["assignedRole"])),
        (
            "UserPage",
            object([("ledgerUsers", list(reference("User"))), ("nextLink", link)], required: ["ledgerUsers"])
        ),
        (
            "LedgerUser",
            object([("userId", text), ("assignedRoles", list(text, atMost: 32))], required: ["assignedRoles"])
        ),
        (
            "LedgerUserPage",
            object([("ledgerUsers", list(reference("LedgerUser"))), ("nextLink", link)], required: ["ledgerUsers"])
        ),
        (
            "Role",
            object(
                [("roleName", text), ("roleActions", list(text, atMost: 256))], required: ["roleName", "roleActions"])
        ),
        ("Roles", ["oneOf": [object([("roles", roles)], required: ["roles"]), roles]]),
        (
            "RoleList",
            ["oneOf": [object([("role", list(reference("Role")))], required: ["role"]), list(reference("Role"))]]
        ),
        ("Constitution", object([("digest", text), ("script", text)], required: ["digest", "script"])),
        (
            "MemberPage",
            object(
                [
                    ("members", list(object([("certificate", text), ("id", text)], required: ["certificate", "id"]))),
                    ("nextLink", link),
                ], required: ["members"])
        ),
        (
            "EnclaveQuotes",
            object(
                [
                    ("currentNodeId", text),
                    (
                        "enclaveQuotes",
                        [
                            "type": "object",
                            "additionalProperties": object(
                                [("nodeId", text), ("quoteVersion", text), ("raw", text)],
                                required: ["nodeId", "quoteVersion", "raw"]),
                        ]
                    ),
                ], required: ["currentNodeId", "enclaveQuotes"])
        ),
        ("Commit", object([("transaction_id", text), ("view_history", list(text))], required: ["transaction_id"])),
        (
            "TransactionStatus",
            object([("transaction_id", text), ("status", text)], required: ["transaction_id", "status"])
        ),
        (
            "FrameworkReceipt",
            object(
                [
                    ("cert", text), ("leaf", text), ("leaf_components", ["type": "object"]), ("node_id", text),
                    ("proof", list(object([("left", text), ("right", text)]))), ("service_endorsements", list(text)),
                    ("signature", text),
                ], required: ["cert", "proof", "signature"])
        ),
        (
            "LedgerIdentity",
            object(
                [("ledgerTlsCertificate", text), ("ledgerId", text)], required: ["ledgerTlsCertificate", "ledgerId"])
        ),
    ]
}
