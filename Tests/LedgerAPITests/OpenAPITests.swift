import Foundation
import LedgerAPI
import Testing

@Suite struct OpenAPITests {
    static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Documentation/openapi.json")

    /// Set INDELIBLE_RECORD=1 to write the file anew.
    @Test func committedDocumentIsTheServedOne() throws {
        let wanted = OpenAPIDocument.value.prettyEncoded()
        if ProcessInfo.processInfo.environment["INDELIBLE_RECORD"] != nil {
            try Data(wanted).write(to: Self.file)
        }
        let committed = try Data(contentsOf: Self.file)
        #expect(committed == Data(wanted), "Documentation/openapi.json is stale; run with INDELIBLE_RECORD=1")
    }

    @Test func operationsAreNamedOnce() {
        let names = APIOperation.all.map { "\($0.method) \($0.path)" }
        #expect(Set(names).count == names.count)
    }

    @Test func pathParametersAreDescribed() {
        for operation in APIOperation.all {
            let inPath = operation.path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                $0.dropFirst().dropLast()
            }
            #expect(operation.parameters.filter(\.isInPath).map(\.name) == inPath.map(String.init))
        }
    }

    @Test func referencedSchemasExist() throws {
        let text = String(decoding: OpenAPIDocument.json, as: UTF8.self)
        let schemas = OpenAPIDocument.value["components"]?["schemas"]
        for part in text.components(separatedBy: "#/components/schemas/").dropFirst() {
            let name = String(part.prefix { $0 != "\"" })
            #expect(schemas?[name] != nil, "\(name)")
        }
    }

    @Test func answersBesideTheUsualOneAreTold() {
        let paths = OpenAPIDocument.value["paths"]
        #expect(paths?["/app/roles"]?["delete"]?["responses"]?["204"] != nil)
        for path in ["/node/ledger-chunk/{name}", "/node/snapshot/{name}"] {
            for status in ["200", "206", "304", "416"] {
                #expect(paths?[path]?["get"]?["responses"]?[status] != nil, "\(path) \(status)")
            }
        }
    }
}
