import Foundation
import LedgerProofs
import Testing

@testable import SQLLedger

/// Documentation/spec/sql-schema.md; Vectors/sql/schema.json.
@Suite struct SchemaTests {
    struct Schema: Decodable {
        var digest: String
    }

    struct Event: Decodable {
        var type: Int64
        var table: Int64
        var text: String
        var transactionId: UInt64
        var sequenceNumber: UInt64
        var leaf: String
    }

    struct Refused: Decodable {
        var about: String
        var code: String
        var type: Int64
        var table: Int64
        var text: String
    }

    struct File: Decodable {
        var schemas: [Schema]
        var events: [Event]
        var refused: [Refused]
        /// `schema_0`.
        var schema0: String?
    }

    @Test func events() throws {
        let file = try VectorFile.decode(File.self, "schema.json")
        #expect(TableSchema.schemaEventsDigest == SHA256Hashing.digest(Array("indelible/schema/0".utf8)))
        for vector in file.events {
            let event = try SchemaEvent(type: vector.type, table: vector.table, body: Array(vector.text.utf8))
            #expect(String(decoding: event.encodedBody, as: UTF8.self) == vector.text)
            #expect(event.type.rawValue == vector.type)
            let leaf = event.leaf(
                transaction: TransactionNumber(vector.transactionId), sequence: LeafNumber(vector.sequenceNumber))
            #expect(leaf.hash.hex == vector.leaf)
            if let description = event.description {
                let again = SchemaEvent(event.type, of: event.table, description)
                #expect(again == event)
                #expect(again.encodedBody == event.encodedBody)
            } else {
                #expect(event == SchemaEvent(allTables: true))
            }
        }
    }

    @Test func schemaDigests() throws {
        let objects = try #require(try VectorFile.object("schema.json")["schemas"] as? [[String: Any]])
        #expect(objects.count == 3)
        var digests: Set<String> = []
        for object in objects {
            let columns = try #require(object["columns"] as? [Any])
            let bytes = try JSONSerialization.data(withJSONObject: columns)
            let value = try JSONValue(json: Array(bytes), limits: DecodingLimits())
            let schema = TableSchema(
                table: TableID(try #require(object["table"] as? UInt64)),
                columns: try #require(value.array).map { try SchemaColumn($0) })
            #expect(schema.digest.hex == object["digest"] as? String)
            digests.insert(schema.digest.hex)
            #expect(schema.storedColumns.allSatisfy { $0.generation != .virtual })
        }
        #expect(digests.count == 3)
    }

    @Test func refused() throws {
        let refused = try VectorFile.decode(File.self, "schema.json").refused
        #expect(refused.count >= 40)
        for vector in refused {
            let code = errorCode { () throws(ProofError) in
                _ = try SchemaEvent(type: vector.type, table: vector.table, body: Array(vector.text.utf8))
            }
            #expect(code == vector.code, "\(vector.about)")
        }
    }

    @Test func everythingIsHashed() {
        let column = SchemaColumn(name: "a", declaredType: "b")
        let base = TableSchema(table: TableID(1), columns: [column, column])
        var others = [base, TableSchema(table: TableID(2), columns: base.columns)]
        func add(_ change: (inout SchemaColumn) -> Void) {
            var other = base
            change(&other.columns[0])
            others.append(other)
        }
        add { $0.name = "c" }
        add { $0.declaredType = "c" }
        add { ($0.name, $0.declaredType) = ("ab", "") }
        add { $0.isNotNull = true }
        add { $0.primaryKeyPosition = 1 }
        add { $0.generation = .virtual }
        add { $0.generation = .stored }
        others.append(TableSchema(table: TableID(1), columns: [column]))
        #expect(Set(others.map(\.digest)).count == others.count)
        // The default may change without a new schema version: it is no part of what rows are.
        var other = base
        other.columns[0].defaultText = "1"
        #expect(other.digest == base.digest)
    }
}
