/// The OpenAPI 3 document of the whole interface, made from `APIOperation.all` and the schemas. The same text is
/// committed as `Documentation/openapi.json`; a test keeps the two equal.
public enum OpenAPIDocument {
    /// Compact JSON, as served.
    public static let json: [UInt8] = value.encoded()

    public static let value: JSONValue = [
        "openapi": "3.0.3",
        "info": [
            "title": "Indelible confidential ledger",
            "description": "An append-only, signed ledger. Errors have the body {\"error\":{\"code\",\"message\"}}.",
            "version": "1.0.0",
        ],
        "paths": .object(paths),
        "components": [
            "schemas": .object(OpenAPISchemas.all.map { ($0.name, $0.schema) }),
            "securitySchemes": [
                "bearer": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"],
                "clientCertificate": [
                    "type": "apiKey", "in": "header", "name": "tls-client-certificate",
                    "description": "Not a header: the client certificate of the TLS connection.",
                ],
            ],
        ],
    ]

    private static var paths: [(name: String, value: JSONValue)] {
        var order: [String] = []
        var byPath: [String: [APIOperation]] = [:]
        for operation in APIOperation.all {
            if byPath[operation.path] == nil { order.append(operation.path) }
            byPath[operation.path, default: []].append(operation)
        }
        return order.map { path in
            let operations = byPath[path] ?? []
            return (path, .object(operations.map { ($0.method.lowercased(), describe($0)) }))
        }
    }

    private static func describe(_ operation: APIOperation) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = [
            ("tags", [.string(operation.tag)]), ("summary", .string(operation.summary)),
        ]
        if let action = operation.action {
            members.append(
                ("description", .string("Needs the action Microsoft.ConfidentialLedger/ledger/\(action).")))
        }
        if !operation.parameters.isEmpty {
            members.append(("parameters", .array(operation.parameters.map(describe))))
        }
        if operation.request != .none {
            members.append(("requestBody", ["required": true, "content": content(operation.request)]))
        }
        var success: [(name: String, value: JSONValue)] = [("description", .string(operation.summary))]
        success.append(("headers", headers(operation)))
        if operation.answer != .none { success.append(("content", content(operation.answer))) }
        var responses: [(name: String, value: JSONValue)] = [(String(operation.status), .object(success))]
        for (status, meaning) in operation.otherStatuses.sorted(by: { $0.key < $1.key }) {
            var answer: [(name: String, value: JSONValue)] = [("description", .string(meaning))]
            if status == 206 { answer.append(("content", content(operation.answer))) }
            let failure = operation.otherAnswers[status] ?? .json("Error")
            if status >= 400, failure != .none { answer.append(("content", content(failure))) }
            responses.append((String(status), .object(answer)))
        }
        responses.append(("default", ["description": "An error.", "content": content(.json("Error"))]))
        members.append(("responses", .object(responses)))
        members.append(
            (
                "security", operation.action == nil ? [] : [["clientCertificate": []], ["bearer": []]]
            ))
        return .object(members)
    }

    private static func headers(_ operation: APIOperation) -> JSONValue {
        let isWrite = operation.method != "GET" && operation.method != "HEAD"
        let meaning = isWrite ? "The id of the write." : "The state that was read."
        return .object([
            (HeaderNames.transactionID, ["description": .string(meaning), "schema": ["type": "string"]] as JSONValue)
        ])
    }

    private static func describe(_ parameter: APIOperation.Parameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": parameter.isInPath ? "path" : "query",
            "required": .bool(parameter.isRequired), "description": .string(parameter.summary),
            "schema": ["type": .string(parameter.type)],
        ]
    }

    private static func content(_ body: APIOperation.Body) -> JSONValue {
        switch body {
        case .none: .object([])
        case .json(let schema):
            ["application/json": ["schema": ["$ref": .string("#/components/schemas/\(schema)")]]]
        case .jsonOrCOSE(let schema):
            [
                "application/json": ["schema": ["$ref": .string("#/components/schemas/\(schema)")]],
                "application/cose": ["schema": ["type": "string", "format": "binary"]],
            ]
        case .other(let type): .object([(type, ["schema": ["type": "string", "format": "binary"]] as JSONValue)])
        }
    }
}
