import LedgerProofs
import NIOHTTP1
import Testing
import X509

@testable import LedgerClient

/// Pinning, retries and paging against a stub server.
@Suite struct TransportTests {
    private func client(
        _ server: StubServer, _ identity: TestIdentity, attempts: Int = 4,
        credential: LedgerClientConfiguration.Credential = .none
    ) throws -> LedgerClient {
        var configuration = LedgerClientConfiguration(
            endpoint: server.endpoint, serviceCertificatePEM: identity.certificatePEM, credential: credential)
        configuration.retries = .init(attempts: attempts, firstDelay: .milliseconds(5), longestDelay: .milliseconds(20))
        configuration.requestTimeout = .seconds(10)
        return try LedgerClient(configuration)
    }

    private func with<R: Sendable>(
        attempts: Int = 4, credential: LedgerClientConfiguration.Credential = .none,
        answer: @escaping @Sendable (StubServer.Request, Int) -> StubServer.Response,
        _ body: (LedgerClient, StubServer) async throws -> R
    ) async throws -> R {
        let identity = try TestIdentity()
        let server = try await StubServer(identity, answer: answer)
        let client = try client(server, identity, attempts: attempts, credential: credential)
        do {
            let result = try await body(client, server)
            await client.shutdown()
            try await server.close()
            return result
        } catch {
            await client.shutdown()
            try await server.close()
            throw error
        }
    }

    private static let created = StubServer.Response(
        headers: [("x-ms-ccf-transaction-id", "2.15")],
        body: #"{"collectionId":"subledger:0","transactionId":"2.15","state":"Committed"}"#)

    private static var trusting: AppendOptions {
        var options = AppendOptions()
        options.verifiesReceipt = false
        return options
    }

    @Test func aRepeatedWriteHasTheSameRequestIDAndBody() async throws {
        try await with { _, number in
            number < 3 ? .init(status: number == 0 ? .serviceUnavailable : .internalServerError) : Self.created
        } _: { client, server in
            let entry = try await client.append("hello", options: Self.trusting)
            #expect(entry.transactionID == TransactionID("2.15"))
            let sent = server.requests
            #expect(sent.count == 4)
            #expect(Set(sent.flatMap { $0.headers["x-ms-client-request-id"] }).count == 1)
            #expect(Set(sent.map(\.body)) == [#"{"contents":"hello"}"#])
            _ = try await client.append("hello", options: Self.trusting)
            #expect(Set(server.requests.flatMap { $0.headers["x-ms-client-request-id"] }).count == 2)
        }
    }

    @Test func aBrokenConnectionIsRepeatedThenUnknown() async throws {
        try await with { _, number in
            number < 2 ? .init(drops: true) : Self.created
        } _: { client, server in
            _ = try await client.append("a", options: Self.trusting)
            #expect(server.requests.count == 3)
        }
        let error = await #expect(throws: LedgerClientError.self) {
            try await self.with(attempts: 2) { _, _ in
                .init(drops: true)
            } _: { client, _ in
                _ = try await client.append("a", options: Self.trusting)
            }
        }
        #expect(error?.code == .outcomeUnknown)
        let read = await #expect(throws: LedgerClientError.self) {
            try await self.with(attempts: 2) { _, _ in
                .init(drops: true)
            } _: { client, _ in
                _ = try await client.lastCommitted()
            }
        }
        #expect(read?.code == .unreachable, "a read has no outcome")
    }

    /// One byte now and then is no answer.
    @Test(.timeLimit(.minutes(1))) func theTimeLimitHoldsForTheBodyToo() async throws {
        let identity = try TestIdentity()
        let server = try await StubServer(identity) { _, _ in .init(drips: true) }
        var configuration = LedgerClientConfiguration(
            endpoint: server.endpoint, serviceCertificatePEM: identity.certificatePEM, credential: .none)
        configuration.retries = .none
        configuration.requestTimeout = .milliseconds(500)
        let client = try LedgerClient(configuration)
        let read = await #expect(throws: LedgerClientError.self) { try await client.lastCommitted() }
        #expect(read?.code == .unreachable)
        let write = await #expect(throws: LedgerClientError.self) { try await client.append("x") }
        #expect(write?.code == .outcomeUnknown)
        let first = await #expect(throws: LedgerClientError.self) {
            _ = try await IdentityFetch.identity(
                endpoint: server.endpoint, ledgerID: "x", trustedPEM: nil, timeLimit: .milliseconds(500))
        }
        #expect(first?.code == .unreachable)
        await client.shutdown()
        try await server.close()
    }

    @Test(.timeLimit(.minutes(1))) func pagesThatLeadBackToThemselvesAreRefused() async throws {
        for count in [1, 2] {
            let error = await #expect(throws: LedgerClientError.self) {
                try await self.with { _, number in
                    .init(
                        body: #"{"ledgerUsers":[{"userId":"u","assignedRoles":["Reader"]}],"#
                            + #""nextLink":"/app/ledgerUsers?page=\#(number % count)"}"#)
                } _: { client, _ in
                    _ = try await client.users()
                }
            }
            #expect(error?.code == .unexpectedResponse)
        }
    }

    @Test func nothingIsSentForACollectionOrTagsThatCannotBe() async throws {
        let identity = try TestIdentity()
        let server = try await StubServer(identity) { _, _ in .init() }
        let client = try client(server, identity, attempts: 1, credential: .none)
        for (collection, tags) in [("", []), ("c", [""]), ("c", ["a,b"]), ("c", [String(repeating: "x", count: 65)])]
            as [(String, [String])]
        {
            var options = AppendOptions()
            options.collectionID = collection
            options.tags = tags
            let error = await #expect(throws: LedgerClientError.self) {
                try await client.append("x", options: options)
            }
            #expect(error?.code == .invalidInput)
        }
        await client.shutdown()
        #expect(server.requests.isEmpty)
        try await server.close()
    }

    @Test func aRefusedConnectionIsToldPlainlyAndNothingWasSent() async throws {
        let identity = try TestIdentity()
        let server = try await StubServer(identity) { _, _ in .init() }
        let client = try client(server, identity, attempts: 2, credential: .none)
        try await server.close()
        let error = await #expect(throws: LedgerClientError.self) { try await client.append("x") }
        #expect(error?.code == .unreachable)
        #expect(error?.reason.hasSuffix("cannot connect (Connection refused)") == true, "\(error?.reason ?? "")")
        await client.shutdown()
    }

    @Test(arguments: [400, 401, 403, 404, 409, 413, 415, 502])
    func finalRefusalsAreNotRepeated(_ status: Int) async throws {
        try await with { _, _ in
            .init(
                status: .init(statusCode: status),
                body: #"{"error":{"code":"NotAllowed","message":"Not allowed to call POST /app/transactions"}}"#)
        } _: { client, server in
            let error = await #expect(throws: LedgerClientError.self) {
                try await client.append("secret text", options: Self.trusting)
            }
            #expect(error?.status == status && error?.serverCode == "NotAllowed")
            #expect(error?.code == (status == 404 ? .notFound : .refused))
            #expect(error?.reason.contains("Not allowed to call") == true)
            #expect(error?.reason.contains("secret text") == false)
            #expect(server.requests.count == 1)
        }
    }

    @Test func onlyThePinnedCertificateIsTrusted() async throws {
        let identity = try TestIdentity()
        let server = try await StubServer(identity) { _, _ in Self.created }
        let client = try client(server, try TestIdentity())
        let error = await #expect(throws: LedgerClientError.self) { try await client.lastCommitted() }
        #expect(error?.code == .untrustedServer)
        #expect(server.requests.isEmpty)
        await client.shutdown()
        try await server.close()
    }

    @Test func theHostNameIsVerified() async throws {
        let identity = try TestIdentity(names: [.dnsName("ledger.example")])
        let server = try await StubServer(identity) { _, _ in Self.created }
        let client = try client(server, identity)
        let error = await #expect(throws: LedgerClientError.self) { try await client.lastCommitted() }
        #expect(error?.code == .untrustedServer)
        #expect(server.requests.isEmpty)
        await client.shutdown()
        try await server.close()
    }

    @Test func tokensAreSentAndAskedForEachTime() async throws {
        try await with(credential: .token { "t0k3n" }) { _, _ in
            .init(body: #"{"transaction_id":"2.7"}"#)
        } _: { client, server in
            let committed = try await client.lastCommitted()
            #expect(committed == TransactionID("2.7"))
            #expect(server.requests.first?.headers["authorization"] == ["Bearer t0k3n"])
        }
    }

    @Test func rangesFollowLinksAndLoadingPages() async throws {
        func entry(_ n: Int) -> String {
            #"{"contents":"c\#(n)","collectionId":"a b/ü","transactionId":"2.\#(n)"}"#
        }
        let pages = [
            #"{"state":"Loading","entries":[],"nextLink":"/app/transactions?page=1"}"#,
            #"{"state":"Ready","entries":[\#(entry(3)),\#(entry(5))],"nextLink":"/app/transactions?page=2"}"#,
            #"{"state":"Ready","entries":[],"nextLink":"/app/transactions?page=3"}"#,
            #"{"state":"Ready","entries":[\#(entry(9))],"nextLink":null}"#,
        ]
        try await with { _, number in
            .init(body: pages[min(number, 3)])
        } _: { client, server in
            var seen: [String] = []
            var filter = EntryFilter(collectionID: "a b/ü", from: TransactionID("2.3"))
            filter.tag = "x+y"
            for try await entry in client.entries(filter) { seen.append(entry.contents) }
            #expect(seen == ["c3", "c5", "c9"])
            let first = try #require(server.requests.first?.uri)
            #expect(first.contains("collectionId=a%20b%2F%C3%BC&fromTransactionId=2.3&tag=x%2By"))
            #expect(
                server.requests.map(\.uri).dropFirst().elementsEqual((1...3).map { "/app/transactions?page=\($0)" }))
        }
    }

    @Test(arguments: [
        #"{"state":"Ready","entries":[],"nextLink":"https://evil.example/app/transactions"}"#,
        #"{"state":"Ready","entries":[],"nextLink":"//evil.example/app"}"#,
        #"{"state":"Ready","entries":[{"contents":"a","collectionId":"c","transactionId":"2.5"},{"contents":"a","collectionId":"c","transactionId":"2.5"}]}"#,
        #"{"state":"Ready","entries":[{"contents":"a","collectionId":"c","transactionId":"x"}]}"#,
        #"{"state":"Ready"}"#, #"[]"#, "not json",
    ])
    func hostilePagesAreRefused(_ page: String) async throws {
        try await with { _, _ in
            .init(body: page)
        } _: { client, _ in
            let error = await #expect(throws: LedgerClientError.self) {
                for try await _ in client.entries() {}
            }
            #expect(error?.code == .unexpectedResponse)
        }
    }

    /// The server says committed and sends a receipt that proves nothing: the append fails as a proof, not as a call.
    @Test func anAppendWithAWrongReceiptFails() async throws {
        let certificate = try TestIdentity().certificatePEM.replacing("\n", with: "\\n")
        let zero = String(repeating: "0", count: 64)
        let body = """
            {"collectionId":"subledger:0","transactionId":"2.15","state":"Committed","receipt":{"cert":"\(certificate)",\
            "leafComponents":{"claimsDigest":"\(zero)","commitEvidence":"ce:2.15:\(zero)","writeSetDigest":"\(zero)"},\
            "proof":[],"serviceEndorsements":[],"signature":"MAYCAQECAQE="},"applicationClaims":[{"kind":"LedgerEntry",\
            "ledgerEntry":{"protocol":"LedgerEntryV1","collectionId":"subledger:0","contents":"hello",\
            "secretKey":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}]}
            """
        try await with { _, _ in
            .init(headers: [("x-ms-ccf-transaction-id", "2.15")], body: body)
        } _: { client, _ in
            let error = await #expect(throws: LedgerClientError.self) { try await client.append("hello") }
            #expect(error?.code == .proofFailed)
            let other = await #expect(throws: LedgerClientError.self) { try await client.append("other") }
            #expect(other?.reason.contains("other contents") == true)
        }
    }

    @Test func answersThatAreTooLongAreRefused() async throws {
        let identity = try TestIdentity()
        let server = try await StubServer(identity) { _, _ in
            .init(body: String(repeating: " ", count: 4_096))
        }
        var configuration = LedgerClientConfiguration(
            endpoint: server.endpoint, serviceCertificatePEM: identity.certificatePEM, credential: .none)
        configuration.largestResponseByteCount = 1_024
        let client = try LedgerClient(configuration)
        let error = await #expect(throws: LedgerClientError.self) { try await client.lastCommitted() }
        #expect(error?.code == .unexpectedResponse)
        await client.shutdown()
        try await server.close()
    }
}
