import HTTPTypes
import HummingbirdCore
import LedgerAPI
import Testing

@testable import LedgerServer

@Suite struct RoutingTests {
    static func route(_ method: HTTPRequest.Method, _ pattern: String) -> Route {
        Route(method, pattern, .open) { _ in Response(status: .ok) }
    }

    static let router = Router([
        route(.get, "/app/transactions"), route(.post, "/app/transactions"), route(.get, "/app/transactions/current"),
        route(.get, "/app/transactions/{id}"), route(.get, "/app/transactions/{id}/status"),
        route(.get, "/app/users/{id}"), route(.get, "/node/state"), route(.get, "/metrics"),
    ])

    static func describe(_ method: HTTPRequest.Method, _ path: String) -> String {
        switch router.match(method, path[...]) {
        case .route(let index, let parameters):
            ([router.routes[index].pattern] + parameters).joined(separator: " ")
        case .otherMethods(let methods): "allow " + methods.map(\.rawValue).joined(separator: ",")
        case .unknown: "unknown"
        case .malformed: "malformed"
        }
    }

    @Test(arguments: [
        ("/app/transactions", "/app/transactions"),
        ("/app/transactions/", "/app/transactions"),
        ("/app/transactions/current", "/app/transactions/current"),
        ("/app/transactions/2.15", "/app/transactions/{id} 2.15"),
        ("/app/transactions/2.15/status", "/app/transactions/{id}/status 2.15"),
        ("/app/transactions/current/status", "/app/transactions/{id}/status current"),
        ("/app/users/AA%3ABB", "/app/users/{id} AA:BB"),
        ("/app/users/AA:BB", "/app/users/{id} AA:BB"),
        ("/app/users/a%2Fb", "/app/users/{id} a/b"),
        ("/transactions/2.15", "/app/transactions/{id} 2.15"),
        ("/state", "unknown"),
        ("/node/state", "/node/state"),
        ("/node/transactions", "unknown"),
        ("/metrics", "/metrics"),
        ("/app/metrics", "unknown"),
        ("/gov/x", "unknown"),
        ("/", "unknown"),
        ("/app/users/%ZZ", "malformed"),
        ("/app/users/%FF", "malformed"),
        ("/app/../node/state", "unknown"),
        (String(repeating: "/a", count: 1000), "unknown"),
    ])
    func finds(path: String, result: String) {
        #expect(Self.describe(.get, path) == result)
    }

    @Test(arguments: [
        ("", true), ("*/*", true), ("application/*", true), ("text/html, */*;q=0.1", true), ("application/json", true),
        ("Application/JSON ; charset=utf-8", true), ("text/html", false), ("application/json;q=0", false),
        ("application/json;q=0, */*", false), ("application/cose", false), ("*/*;q=0.0", false),
    ])
    func acceptHeaders(_ accept: String, _ isFine: Bool) {
        #expect(AcceptRule.allows(accept, anyOf: ["application/json"]) == isFine, "\(accept)")
        #expect(AcceptRule.allows("application/cose", anyOf: ["application/json", "application/cose"]))
    }

    private static let digits = Array(repeating: "0a", count: 31)
    private static let guid = "12345678-90ab-cdef-1234-567890abcdef"
    private static let cutIDs: [(id: String, isBroken: Bool)] = [
        ("AA:BB", true), ("aa:bb:cc", true), ((digits + ["0a", "0a"]).joined(separator: ":"), true),
        ((digits + ["0a"]).joined(separator: ":"), false), ("AA", false), ("urn:aa:bb", false),
        ("AA:BB:", false), ("0f3c-11", false), (String(repeating: "aB", count: 32), true),
        (String(repeating: "ab", count: 31), true), (String(repeating: "ag", count: 32), false),
        ("SHA256:" + (digits + ["0a"]).joined(separator: ":"), true),
        ("sha256 Fingerprint=" + (digits + ["0a"]).joined(separator: ":"), true),
        ((digits + ["0a"]).joined(separator: "-"), true), ((digits + ["0G"]).joined(separator: ":"), true),
        ((digits + ["0"]).joined(separator: ":"), true), (String(repeating: "ab", count: 20), false),
        (guid, false), ("\(guid).\(guid)", false), (String(repeating: "user", count: 15), false),
    ]

    @Test(arguments: cutIDs)
    func cutFingerprints(_ id: String, _ isBroken: Bool) {
        #expect(UserIDRule.isBrokenFingerprint(id) == isBroken, "\(id)")
    }

    @Test func otherMethods() {
        #expect(Self.describe(.delete, "/app/transactions") == "allow GET,POST")
        #expect(Self.describe(.options, "/app/transactions/current") == "allow GET")
    }

    @Test func queries() throws {
        let query = try Query("a=1&b=a%20b%2F%C3%BC&c=x+y&d=&e&tags=a,b")
        #expect(query["a"] == "1")
        #expect(query["b"] == "a b/ü")
        #expect(query["c"] == "x+y")
        #expect(query["d"] == nil && query["e"] == nil && query["f"] == nil)
        #expect(query["tags"] == "a,b")
        #expect(try query.integer("a", in: 1...5) == 1)
        for bad in ["a=%", "a=%F", "a=%FF", "%=1", "a=1&a=2", (0..<65).map { "p\($0)=1" }.joined(separator: "&")] {
            #expect(throws: APIError.self) { try Query(bad[...]) }
        }
        for bad in ["0", "6", "-1", "+1", "1.0", "x", "99999999999999999999999"] {
            let query = try Query("n=\(bad)")
            #expect(throws: APIError.self) { try query.integer("n", in: 1...5) }
        }
        #expect(try Query("w=TRUE").flag("w"))
        #expect(throws: APIError.self) { try Query("w=yes").flag("w") }
    }

    @Test(arguments: [
        ("a,b", ["a", "b"]), ("é", ["é"]), ("a,\u{301}b", ["a", "\u{301}b"]),
        ("\u{E9},e\u{301}", ["\u{E9}", "e\u{301}"]),
    ])
    func tags(text: String, tags: [String]) throws {
        #expect(try LedgerRoutes.tags(text) == tags)
    }

    @Test(arguments: [
        "a,", ",", "a,b,c,d,e,f", "a,a", String(repeating: "x", count: 65), "a,\u{301}b,", "a\u{0}b",
        "e" + String(repeating: "\u{301}", count: 128),
    ])
    func badTags(text: String) {
        #expect(throws: APIError.self) { try LedgerRoutes.tags(text) }
    }

    @Test(
        arguments: [
            (nil, .whole), ("items=1-2", .whole), ("bytes=0-9", .part(ByteRange(first: 0, last: 9))),
            ("bytes=5-", .part(ByteRange(first: 5, last: 99))), ("bytes=-10", .part(ByteRange(first: 90, last: 99))),
            ("bytes=-1000", .part(ByteRange(first: 0, last: 99))),
            ("bytes=50-1000", .part(ByteRange(first: 50, last: 99))),
            ("bytes=100-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=-", .malformed),
            ("bytes=5-4", .malformed), ("bytes=1-2,4-5", .malformed), ("bytes=x-1", .malformed),
            ("bytes=1", .malformed),
        ] as [(String?, ByteRange.Outcome)])
    func ranges(header: String?, outcome: ByteRange.Outcome) {
        #expect(ByteRange.parse(header, fileByteCount: 100) == outcome)
    }

    @Test func links() throws {
        let link = NextLink("/app/x").adding("a", nil).adding("b", "é +/").adding("c", "2.20")
        #expect(link.json == "/app/x?b=%C3%A9%20%2B%2F&c=2.20")
    }

    @Test func cursors() throws {
        let cursor = PageCursor(.tags).adding("collectionId", "R&D %41 ü+?").adding("limit", nil)
            .adding(PageCursor.after, "e\u{301}")
        let text = cursor.text
        #expect(text.utf8.allSatisfy { $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "=") })
        let read = try #require(PageCursor(text, of: .tags))
        #expect(read.items.map(\.name) == ["collectionId", "after"])
        #expect(read.items.map { Array($0.value.utf8) } == cursor.items.map { Array($0.value.utf8) })
        let example = PageCursor(.tags).adding("collectionId", "R&D").adding(PageCursor.after, "a").text
        #expect(example == "AQMAAANSJkQIAAFh", "the worked example of Documentation/spec/page-cursor.md")
        #expect(PageCursor(text, of: .users) == nil, "a cursor belongs to its list")
        // Another version, no list, a part cut off, a parameter twice or out of order, an unknown one, empty, NUL, not UTF-8.
        let bad: [[UInt8]] = [
            [], [1], [2, 3], [1, 9], [1, 3, 0], [1, 3, 0, 0], [1, 3, 0, 0, 2, 65], [1, 3, 0, 0, 1, 65, 0, 0, 1, 65],
            [1, 3, 7, 0, 1, 49, 0, 0, 1, 65], [1, 3, 9, 0, 1, 65], [1, 3, 0, 0, 0], [1, 3, 0, 0, 1, 0],
            [1, 3, 0, 0, 1, 0xFF],
        ]
        for bytes in bad { #expect(PageCursor(Base64URL.encode(bytes), of: .tags) == nil, "\(bytes)") }
        for text in ["+", "a", "é", text + "=", String(repeating: "A", count: 5000)] {
            #expect(PageCursor(text, of: .tags) == nil)
        }
    }

    @Test func whatStandsBesideACursorAgreesWithIt() throws {
        let query = try Query("collectionId=e%CC%81&limit=2")
        #expect(try query.replaced(by: [("collectionId", "e\u{301}"), ("after", "x")])["after"] == "x")
        #expect(throws: APIError.self) { try query.replaced(by: [("collectionId", "\u{E9}")]) }
        #expect(throws: APIError.self) { try query.replaced(by: [("limit", "3")]) }
    }

    @Test func authorities() {
        #expect(LedgerRoutes.withoutPort("localhost:8443") == "localhost")
        #expect(LedgerRoutes.withoutPort("[::1]:8443") == "[::1]")
        #expect(LedgerRoutes.withoutPort("::1") == "::1")
        #expect(LedgerRoutes.withoutPort("a.b") == "a.b")
        #expect(LedgerRoutes.split("127.0.0.1:8443") == ("127.0.0.1", "8443"))
    }
}
