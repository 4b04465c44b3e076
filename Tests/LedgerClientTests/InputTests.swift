import Foundation
import LedgerProofs
import NIOCore
import NIOPosix
import Testing

@testable import LedgerClient

/// The parts that need no server.
@Suite struct InputTests {
    @Test(arguments: [
        ("https://127.0.0.1:8443", "https://127.0.0.1:8443"), ("https://ledger.example/", "https://ledger.example"),
        ("HTTPS://a", "https://a"), ("https://[::1]:1", "https://[::1]:1"),
    ])
    func endpoints(_ given: String, _ base: String) throws {
        #expect(try HTTPTransport.validated(endpoint: given) == base)
    }

    @Test(arguments: [
        "", "127.0.0.1:8443", "http://a", "https://", "https://a/b", "https://a?x=1", "https://user@a", "ftp://a",
        "https://a:0", "https://a:65536", "https://127.0.0.1:99999",
    ])
    func badEndpoints(_ given: String) {
        let error = #expect(throws: LedgerClientError.self) { try HTTPTransport.validated(endpoint: given) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func percentEncoding() {
        #expect(PercentEncoding.encode("AZaz09-._~") == "AZaz09-._~")
        #expect(PercentEncoding.encode("a b/ü:+%&=") == "a%20b%2F%C3%BC%3A%2B%25%26%3D")
        #expect(PercentEncoding.encode("\u{0}\n") == "%00%0A")
    }

    @Test func stableRequestIDs() {
        let first = RequestID.stable(batch: "b", index: 0)
        #expect(first == RequestID.stable(batch: "b", index: 0))
        #expect(UUID(uuidString: first) != nil)
        let many = Set((0..<1_000).flatMap { n in ["b", "b1", "c"].map { RequestID.stable(batch: $0, index: n) } })
        #expect(many.count == 3_000, "batch and index do not run together")
        #expect(RequestID.random() != RequestID.random())
    }

    @Test func keysAndCertificatesInAnyOrder() throws {
        let identity = try TestIdentity()
        for pem in [identity.certificatePEM + identity.keyPEM, identity.keyPEM + "\n" + identity.certificatePEM] {
            #expect(try PEMInput.certificates(pem, input: "x").count == 1)
            _ = try PEMInput.privateKey(pem, input: "x")
        }
        for pem in ["", "nonsense", identity.keyPEM] {
            #expect(throws: LedgerClientError.self) { try PEMInput.certificates(pem, input: "x") }
        }
        for pem in ["", identity.certificatePEM, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            #expect(throws: LedgerClientError.self) { try PEMInput.privateKey(pem, input: "x") }
        }
    }

    @Test func aKeyOfAnotherCertificateIsRefusedBeforeAnythingIsSent() throws {
        let (mine, other) = (try TestIdentity(), try TestIdentity())
        let configuration = LedgerClientConfiguration(
            endpoint: "https://127.0.0.1:1", serviceCertificatePEM: mine.certificatePEM,
            credential: .certificate(pem: mine.certificatePEM + other.keyPEM))
        let error = #expect(throws: LedgerClientError.self) { try HTTPTransport(configuration) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.reason == "the client certificate: the private key does not belong to it")
    }

    @Test func fingerprints() throws {
        let identity = try TestIdentity()
        let fingerprint = try #require(CertificateFingerprint.first(inPEM: identity.keyPEM + identity.certificatePEM))
        #expect(fingerprint.count == 95)
        #expect(CertificateFingerprint.areEqual(fingerprint, fingerprint.lowercased().filter { $0 != ":" }))
        #expect(!CertificateFingerprint.areEqual(fingerprint, String(fingerprint.dropLast())))
        #expect(CertificateFingerprint.first(inPEM: identity.keyPEM) == nil)
    }

    @Test(arguments: [
        (String(repeating: "aB", count: 32), true), (Array(repeating: "0a", count: 32).joined(separator: ":"), true),
        ("AA:BB", false), ("", false), (String(repeating: "a", count: 65), false),
        (String(repeating: "a", count: 64) + "x", false),
    ])
    func wholeFingerprints(_ text: String, _ isWhole: Bool) {
        #expect(CertificateFingerprint.isWhole(text) == isWhole)
    }

    /// One byte now and then is no answer.
    @Test(.timeLimit(.minutes(1))) func fetcherDoesNotWaitForADrippingBody() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let head = ByteBuffer(string: "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
                channel.writeAndFlush(head, promise: nil)
                channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) { _ in
                    channel.writeAndFlush(ByteBuffer(string: " "), promise: nil)
                }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let fetcher = try WebFetcher(timeLimit: .milliseconds(500))
        let url = try #require(URL(string: "http://127.0.0.1:\(server.localAddress?.port ?? 0)/x"))
        let start = ContinuousClock.now
        let error = await #expect(throws: LedgerClientError.self) { try await fetcher.fetch(url) }
        #expect(error?.code == .unreachable && ContinuousClock.now - start < .seconds(10))
        let patient = try WebFetcher(timeLimit: .seconds(600))
        let waiting = Task { try await patient.fetch(url) }
        try await Task.sleep(for: .milliseconds(200))
        waiting.cancel()
        await #expect(throws: (any Error).self) { try await waiting.value }
        await patient.shutdown()
        await fetcher.shutdown()
        try await server.close()
    }

    @Test func fetcherRefusesPlainHTTPElsewhere() async throws {
        let fetcher = try WebFetcher()
        for text in [
            "http://issuer.example/x", "file:///etc/passwd", "ftp://127.0.0.1/", "https://127.0.0.1:99999/keys",
        ] {
            let url = try #require(URL(string: text))
            let error = await #expect(throws: LedgerClientError.self) { try await fetcher.fetch(url) }
            #expect(error?.code == .invalidInput)
        }
        await fetcher.shutdown()
    }
}
