import AsyncHTTPClient
import Crypto
import CryptoExtras
import Foundation
import LedgerAPI
import LedgerNode
import NIOCore
import NIOHTTP1
import NIOSSL
import Testing
import X509

@testable import LedgerServer

/// The port itself, over real TLS on loopback.
@Suite(.serialized) struct ListenerTests {
    static func trusting(_ server: TestCertificates.Pair) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates([server.certificate])
        return tls
    }

    /// Runs `body` with a client and always shuts the client down.
    static func using(_ client: HTTPClient, _ body: (HTTPClient) async throws -> Void) async throws {
        let result = await Result { try await body(client) }
        try await client.shutdown()
        try result.get()
    }

    @Test func clientCertificatesOfAllKindsOverBothProtocols() async throws {
        let (identity, server) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            let keys: [Certificate.PrivateKey] = [
                .init(P256.Signing.PrivateKey()), .init(P384.Signing.PrivateKey()), .init(P521.Signing.PrivateKey()),
                .init(Curve25519.Signing.PrivateKey()), .init(try _RSA.Signing.PrivateKey(keySize: .bits2048)),
            ]
            for (i, key) in keys.enumerated() {
                let pair = try TestCertificates.make(key, name: "someone", expired: i == 1)
                let fingerprint = PeerCertificate(der: pair.der).fingerprint
                #expect(fingerprint.count == 95)
                for http1Only in [true, false] {
                    try await Self.using(listener.client(trusting: server, showing: pair, http1Only: http1Only)) {
                        client in
                        for _ in 0..<2 {
                            let answer = try await listener.send(client, "GET", "/app/who")
                            #expect(answer.version == (http1Only ? "HTTP/1.1" : "HTTP/2.0"))
                            if fingerprint.hasPrefix("0") {
                                #expect(answer.status == 403)
                                #expect(answer.body.contains(fingerprint) && answer.body.contains("transactions/read"))
                            } else {
                                #expect(answer.body == "{\"user\":\"\(fingerprint)\"}", "key \(i)")
                            }
                        }
                    }
                }
            }
        }
    }

    @Test func withoutCredentials() async throws {
        let (identity, server) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            for http1Only in [true, false] {
                try await Self.using(listener.client(trusting: server, http1Only: http1Only)) { client in
                    let none = try await listener.send(client, "GET", "/app/who")
                    #expect(none.status == 401 && none["www-authenticate"] == "Bearer")
                    #expect(none.body.contains("InvalidAuthenticationInfo"))
                    #expect(none["retry-after"] == nil)
                    for value in ["Bearer x", "Bearer ", "Basic abc", "x"] {
                        let bad = try await listener.send(
                            client, "GET", "/app/who", headers: [("authorization", value)])
                        #expect(bad.status == 401, "\(value)")
                    }
                }
            }
        }
    }

    @Test func badTokenCountsBeforeCertificate() async throws {
        let (identity, server) = try TestCertificates.server()
        let pair = try TestCertificates.make(.init(P256.Signing.PrivateKey()))
        try await ListenerFixture.with(identity: identity) { listener in
            try await Self.using(listener.client(trusting: server, showing: pair)) { client in
                let answer = try await listener.send(
                    client, "GET", "/app/who", headers: [("authorization", "Bearer a.b.c")])
                #expect(answer.status == 401)
            }
        }
    }

    @Test func errorsAreRendered() async throws {
        let (identity, server) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            try await Self.using(listener.client(trusting: server)) { client in
                let unknown = try await listener.send(client, "GET", "/app/nothing")
                #expect(unknown.status == 404 && unknown.body.contains("ResourceNotFound"))
                let method = try await listener.send(client, "DELETE", "/app/who")
                #expect(method.status == 405 && method["allow"] == "OPTIONS, GET")
                let options = try await listener.send(client, "OPTIONS", "/app/who")
                #expect(options.status == 204 && options["allow"] == "OPTIONS, GET")
                let version = try await listener.send(client, "GET", "/app/fails?api-version=1999-01-01")
                #expect(
                    version.status == 400 && version.body.contains("1999-01-01") && version.body.contains("2022-05-13"))
                let fails = try await listener.send(client, "GET", "/app/fails?api-version=2022-05-13")
                #expect(fails.status == 500 && !fails.body.contains("secret"))
                #expect(fails["content-type"] == "application/json")
                let busy = try await listener.send(client, "GET", "/app/busy")
                #expect(busy.status == 503 && busy["retry-after"] == "1")
                let twice = try await listener.send(client, "GET", "/app/fails?a=1&a=2")
                #expect(twice.status == 400 && twice.body.contains("InvalidQueryParameterValue"))
            }
        }
    }

    @Test func bodyLimit() async throws {
        let (identity, server) = try TestCertificates.server()
        var limits = ServerLimits()
        limits.bodyByteCount = 1000
        try await ListenerFixture.with(limits: limits, identity: identity) { listener in
            for http1Only in [true, false] {
                try await Self.using(listener.client(trusting: server, http1Only: http1Only)) { client in
                    let full = try await listener.send(
                        client, "POST", "/benchmark/empty", body: [UInt8](repeating: 65, count: 1000))
                    #expect(full.status == 200)
                    let over = try await listener.send(
                        client, "POST", "/benchmark/empty", body: [UInt8](repeating: 65, count: 1001))
                    #expect(over.status == 413 && over.body.contains("RequestEntityTooLarge"))
                    let after = try await listener.send(client, "POST", "/benchmark/empty", body: [65])
                    #expect(after.status == 200)
                }
            }
            // Without a declared length.
            let raw = try await RawConnection(port: listener.port, tls: Self.trusting(server))
            let chunk = "400\r\n" + String(repeating: "a", count: 1024) + "\r\n"
            let answer = await raw.exchange([
                "POST /benchmark/empty HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
                chunk,
                chunk, "0\r\n\r\n",
            ])
            #expect(answer.contains(" 413 "))
        }
    }

    @Test func expectContinue() async throws {
        let (identity, server) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            let raw = try await RawConnection(port: listener.port, tls: Self.trusting(server))
            let answer = await raw.exchange(
                [
                    "POST /benchmark/empty HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n",
                    "ab",
                ], pause: .milliseconds(50))
            #expect(answer.hasPrefix("HTTP/1.1 100"))
            #expect(answer.contains("HTTP/1.1 200"))
        }
    }

    @Test func pipelining() async throws {
        let (identity, server) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            let one = "POST /benchmark/empty HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nab"
            let last = "POST /benchmark/empty HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\nab"
            let raw = try await RawConnection(port: listener.port, tls: Self.trusting(server))
            let answer = await raw.exchange([one + one + one + last])
            #expect(answer.components(separatedBy: "HTTP/1.1 200").count == 5)
        }
    }

    @Test func oversizedHeaders() async throws {
        let (identity, server) = try TestCertificates.server()
        var limits = ServerLimits()
        limits.headerByteCount = 4096
        try await ListenerFixture.with(limits: limits, identity: identity) { listener in
            let big = String(repeating: "x", count: 6000)
            let raw = try await RawConnection(port: listener.port, tls: Self.trusting(server))
            let answer = await raw.exchange(["GET /app/who HTTP/1.1\r\nhost: x\r\nbig: \(big)\r\n\r\n"])
            #expect(answer.hasPrefix("HTTP/1.1 431"), "\(answer)")
            #expect(answer.contains("RequestHeaderTooLarge"))
            let many = (0..<500).map { "h\($0): 1\r\n" }.joined()
            let second = try await RawConnection(port: listener.port, tls: Self.trusting(server))
            let refused = await second.exchange(["GET /app/who HTTP/1.1\r\nhost: x\r\n\(many)\r\n"])
            #expect(refused.hasPrefix("HTTP/1.1 431"), "\(refused)")
        }
    }

    @Test func nonsenseRequests() async throws {
        let (identity, server) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            for text in [
                "\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                "POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
            ] {
                let raw = try await RawConnection(port: listener.port, tls: Self.trusting(server))
                let answer = await raw.exchange([text])
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
            }
        }
    }

    /// The bytes that one connection brings back.
    private static func exchange(
        _ listener: ListenerFixture, _ server: TestCertificates.Pair, _ text: String
    ) async throws -> String {
        try await RawConnection(port: listener.port, tls: trusting(server)).exchange([text])
    }

    @Test(.timeLimit(.minutes(1))) func malformedRequestsGetTheErrorEnvelope() async throws {
        let (identity, server) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            for text in [
                "POST /benchmark/empty HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
                "GET / HTTP/9.9\r\nhost: x\r\n\r\n", "GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
                "GET /app/who HTTP/1.1\r\nconnection: close\r\n\r\n",
            ] {
                let answer = try await Self.exchange(listener, server, text)
                #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
                #expect(answer.contains("{\"error\":{"), "\(answer)")
            }
            // Behind a request that is being answered, whose answer is one of its own.
            let two = try await Self.exchange(
                listener, server, "GET /app/nothing HTTP/1.1\r\nhost: x\r\n\r\nGARBAGE\r\n\r\n")
            #expect(two.contains("HTTP/1.1 404") && two.contains("HTTP/1.1 400"), "\(two)")
            #expect(two.components(separatedBy: "{\"error\":{").count == 3, "\(two)")
            // In the body of a request that was refused before anybody read it: one request, one answer.
            let early = try await Self.exchange(
                listener, server,
                "POST /app/nothing HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
            #expect(early.components(separatedBy: "HTTP/1.1 ").count == 2, "\(early)")
            let large = try await Self.exchange(
                listener, server,
                "GET /app/nothing HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nx: "
                    + String(repeating: "a", count: 100_000))
            #expect(large.hasPrefix("HTTP/1.1 404") && large.contains("HTTP/1.1 431"), "\(large)")
            // In the middle of the body.
            let head = "POST /benchmark/empty HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
            let answer = try await Self.exchange(listener, server, head + "zz\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains("InvalidInput"), "\(answer)")
            #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2, "\(answer)")
            // The same, behind a request that is being answered.
            let second = try await Self.exchange(
                listener, server, "GET /app/nothing HTTP/1.1\r\nhost: x\r\n\r\n" + head + "zz\r\n")
            #expect(second.hasPrefix("HTTP/1.1 404") && second.contains("HTTP/1.1 400"), "\(second)")
            #expect(second.components(separatedBy: "HTTP/1.1 ").count == 3, "\(second)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func oldClientsGetTheirAnswerAndTheEnd() async throws {
        let (identity, server) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            let answer = try await Self.exchange(listener, server, "GET /app/nothing HTTP/1.0\r\n\r\n")
            #expect(answer.contains(" 404 ") && answer.lowercased().contains("connection: close"), "\(answer)")
        }
    }

    @Test func manyHeaderFieldsOverHTTP2() async throws {
        let (identity, server) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            try await Self.using(listener.client(trusting: server)) { client in
                let many = try await listener.send(
                    client, "GET", "/app/nothing", headers: (0..<140).map { ("h\($0)", "1") })
                #expect(many.version == "HTTP/2.0")
                #expect(many.status == 431 && many.body.contains("RequestHeaderTooLarge"))
                let fine = try await listener.send(
                    client, "GET", "/app/nothing", headers: (0..<100).map { ("h\($0)", "1") })
                #expect(fine.status == 404)
            }
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0"])
    func silentHTTP2PeersAreClosed(_ opening: String) async throws {
        let (identity, server) = try TestCertificates.server()
        var limits = ServerLimits()
        limits.idleTimeout = .milliseconds(300)
        limits.drainTimeout = .milliseconds(300)
        try await ListenerFixture.with(limits: limits, identity: identity) { listener in
            var tls = Self.trusting(server)
            tls.applicationProtocols = ["h2"]
            // Never answers the PING that comes with the server's goodbye.
            let raw = try await RawConnection(port: listener.port, tls: tls)
            let start = ContinuousClock.now
            _ = await raw.exchange([opening])
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    @Test(.timeLimit(.minutes(1))) func slowPeersAreClosed() async throws {
        let (identity, server) = try TestCertificates.server()
        var limits = ServerLimits()
        limits.handshakeTimeout = .milliseconds(300)
        limits.headerTimeout = .milliseconds(300)
        limits.bodyTimeout = .milliseconds(300)
        limits.idleTimeout = .milliseconds(600)
        try await ListenerFixture.with(limits: limits, identity: identity) { listener in
            // Half-open: connected, says nothing.
            let silent = try await RawConnection(port: listener.port, tls: nil)
            #expect(await silent.exchange([]) == "")
            // A head that never ends, one byte at a time.
            let slowHead = try await RawConnection(port: listener.port, tls: Self.trusting(server))
            let letters = Array("GET /app/who HTTP/1.1\r\nhost: " + String(repeating: "x", count: 2000)).map(
                String.init)
            let start = ContinuousClock.now
            #expect(await slowHead.exchange(letters, pause: .milliseconds(20)) == "")
            #expect(ContinuousClock.now - start < .seconds(5))
            // A body that never ends.
            let slowBody = try await RawConnection(port: listener.port, tls: Self.trusting(server))
            let head = "POST /benchmark/empty HTTP/1.1\r\nhost: x\r\ncontent-length: 2000\r\n\r\n"
            #expect(!(await slowBody.exchange([head] + letters, pause: .milliseconds(20))).contains("200 OK"))
            // Idle after the handshake.
            let idle = try await RawConnection(port: listener.port, tls: Self.trusting(server))
            #expect(await idle.exchange([]) == "")
            for _ in 0..<100 where listener.gauge.active > 0 { try await Task.sleep(for: .milliseconds(50)) }
            #expect(listener.gauge.active == 0)
        }
    }

    @Test(.timeLimit(.minutes(1))) func slowBodiesOverHTTP2AreReset() async throws {
        let (identity, server) = try TestCertificates.server()
        var limits = ServerLimits()
        limits.bodyTimeout = .milliseconds(300)
        try await ListenerFixture.with(limits: limits, identity: identity) { listener in
            try await Self.using(listener.client(trusting: server)) { client in
                // Bytes come often enough for an idle timeout, but the body does not end.
                for path in ["/benchmark/empty", "/app/nothing"] {
                    var request = HTTPClientRequest(url: "https://localhost:\(listener.port)\(path)")
                    request.method = .RAW(value: "POST")
                    let drip = AsyncStream<ByteBuffer> {
                        do { try await Task.sleep(for: .milliseconds(20)) } catch { return nil }
                        return ByteBuffer(string: "x")
                    }
                    request.body = .stream(drip, length: .unknown)
                    let start = ContinuousClock.now
                    let answer = try? await client.execute(request, timeout: .seconds(20))
                    let ended: Bool
                    do {
                        _ = try await answer?.body.collect(upTo: 1 << 20)
                        ended = answer?.status.code != 200
                    } catch {
                        ended = true
                    }
                    #expect(ended, "\(path)")
                    #expect(ContinuousClock.now - start < .seconds(10), "\(path)")
                }
                let whole = try await listener.send(client, "POST", "/benchmark/empty", body: Array("{}".utf8))
                #expect(whole.status == 200 && whole.version == "HTTP/2.0")
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func plainHTTPAndOldTLSAreRefused() async throws {
        let (identity, server) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            let plain = try await RawConnection(port: listener.port, tls: nil)
            let answer = await plain.exchange(["GET /health HTTP/1.1\r\nhost: x\r\n\r\n"])
            #expect(!answer.contains("HTTP/"))
            var old = Self.trusting(server)
            old.maximumTLSVersion = .tlsv12
            let connection = try await RawConnection(port: listener.port, tls: old)
            #expect(await connection.exchange(["GET /health HTTP/1.1\r\nhost: x\r\n\r\n"]) == "")
            // And the listener still serves.
            try await Self.using(listener.client(trusting: server)) { client in
                let answer = try await listener.send(client, "GET", "/app/nothing")
                #expect(answer.status == 404)
            }
        }
    }

    @Test func renewedIdentityIsShownToNewConnections() async throws {
        let (first, firstPair) = try TestCertificates.server()
        let (second, secondPair) = try TestCertificates.server()
        try await ListenerFixture.with(identity: first) { listener in
            let old = listener.client(trusting: firstPair, http1Only: true)
            try await Self.using(old) { old in
                #expect(try await listener.send(old, "GET", "/app/nothing").status == 404)
                listener.updates.yield(second)
                var status = 0
                for _ in 0..<50 where status != 404 {
                    try await Task.sleep(for: .milliseconds(20))
                    try await Self.using(listener.client(trusting: secondPair)) { client in
                        status = (try? await listener.send(client, "GET", "/app/nothing").status) ?? 0
                    }
                }
                #expect(status == 404)
                // The connection that existed goes on.
                #expect(try await listener.send(old, "GET", "/app/nothing").status == 404)
            }
            try await Self.using(listener.client(trusting: firstPair)) { client in
                await #expect(throws: (any Error).self) { try await listener.send(client, "GET", "/app/nothing") }
            }
        }
    }

    @Test func portInUseIsNamed() async throws {
        let (identity, _) = try TestCertificates.server()
        try await ListenerFixture.with(identity: identity) { listener in
            let error = await #expect(throws: LedgerError.self) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await ListenerFixture.with(port: listener.port, identity: identity) { _ in } }
                    try await group.waitForAll()
                }
            }
            #expect(error?.reason.contains("127.0.0.1:\(listener.port)") == true)
        }
    }
}
