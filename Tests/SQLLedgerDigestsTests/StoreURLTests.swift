import SQLLedger
import SQLLedgerDigests
import Testing

@Suite struct StoreURLTests {
    @Test(arguments: [
        ("file:///var/digests", DigestStoreURL.directory(path: "/var/digests")),
        ("file:///var/digests/", .directory(path: "/var/digests")),
        ("FILE:///a%20b/%C3%A9", .directory(path: "/a b/é")),
        ("file:///", .directory(path: "/")),
        ("https://ledger.example:8443", .confidentialLedger(endpoint: "https://ledger.example:8443", collection: nil)),
        ("https://ledger.example/", .confidentialLedger(endpoint: "https://ledger.example", collection: nil)),
        (
            "https://127.0.0.1:8443?collection=a/b%20c%2Bd",
            .confidentialLedger(endpoint: "https://127.0.0.1:8443", collection: "a/b c+d")
        ),
        (
            "https://[::1]:8443/?collection=x",
            .confidentialLedger(endpoint: "https://[::1]:8443", collection: "x")
        ),
    ]) func goodOnes(_ text: String, _ expected: DigestStoreURL) throws {
        let url = try DigestStoreURL(text)
        #expect(url == expected)
        #expect(try DigestStoreURL("\(url)") == expected, "the written form reads back")
    }

    @Test(arguments: [
        ("", "empty"), ("/var/digests", "file:///var/digests"), ("./digests", "has no scheme"),
        ("digests", "has no scheme"), ("file://host/path", "names a host"), ("file:relative", "not absolute"),
        ("file:/one", "not absolute"), ("file:///a?b=c", "no query"), ("file:///a#b", "no fragment"),
        ("file:///a%00b", "NUL"), ("http://ledger", "https only"),
        ("s3://bucket/path", "the scheme s3 is not supported"),
        ("azblob://account/container", "the scheme azblob is not supported"), ("https://", "names no host"),
        ("https://ledger/path", "has a path"), ("https://ledger#x", "has a fragment"),
        ("https://ledger?collection=", "empty collection"), ("https://ledger?collection", "empty collection"),
        ("https://ledger?collection=a&collection=b", "two collections"), ("https://ledger?colection=a", "colection"),
        ("https://ledger:0?collection=a", "port"),
        ("https://ledger?collection=" + String(repeating: "a", count: 1025), "longer than 1024"),
    ]) func badOnesNameTheRule(_ text: String, _ word: String) {
        let error = #expect(throws: DigestStoreURLError.self) { try DigestStoreURL(text) }
        #expect(error?.reason.contains(word) == true, "\(error?.reason ?? "")")
    }

    @Test func passwordsAreNotRepeated() {
        let error = #expect(throws: DigestStoreURLError.self) { try DigestStoreURL("https://me:secret@ledger") }
        #expect(error?.reason.contains("user or password") == true)
        #expect(error?.reason.contains("secret") == false)
    }

    @Test func codesTellUnsupportedFromMalformed() {
        #expect(#expect(throws: DigestStoreURLError.self) { try DigestStoreURL("s3://b") }?.code == .unsupportedScheme)
        #expect(#expect(throws: DigestStoreURLError.self) { try DigestStoreURL("file:x") }?.code == .malformed)
    }

    @Test func aCollectionIsAddedWhereNoneIsNamed() throws {
        func named(_ text: String, _ collection: String?) throws -> String {
            try DigestStoreURL(text).naming(collection).description
        }
        #expect(try named("https://h:1/", "a b") == "https://h:1?collection=a%20b")
        #expect(try named("https://h:1?collection=c", "a") == "https://h:1?collection=c")
        #expect(try named("https://h:1", nil) == "https://h:1")
        #expect(try named("FILE:///x/", "a") == "file:///x")
    }

    @Test func theDefaultCollectionNamesDatabaseAndCreation() throws {
        let time = try #require(CommitTime("2026-11-21T03:00:00.000000Z"))
        #expect(
            DigestCollection.name(database: "shop", createTime: time)
                == "sqldbledgerdigests/shop/2026-11-21T03:00:00.000000Z")
        #expect(
            DigestCollection.name(database: "a/b%c", createTime: time).hasPrefix("sqldbledgerdigests/a%2Fb%25c/"))
        let long = DigestCollection.name(database: String(repeating: "🔒", count: 1000), createTime: time)
        #expect(long.utf8.count <= DigestStoreURL.maximumCollectionByteCount)
        let url = try DigestStoreURL("https://h?collection=x")
        #expect(throws: DigestStoreError.self) { try url.open() }
        #expect(throws: DigestStoreError.self) { try DigestStoreURL("https://h").open() }
    }
}
