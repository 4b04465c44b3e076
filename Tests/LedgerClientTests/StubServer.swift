import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A TLS server on loopback that answers from a closure and records what it was asked.
final class StubServer: Sendable {
    struct Request: Sendable {
        var method: String
        var uri: String
        var headers: HTTPHeaders
        var body: String
    }

    struct Response: Sendable {
        var status = HTTPResponseStatus.ok
        var headers: [(String, String)] = []
        var body = "{}"
        /// Close the connection instead of answering.
        var drops = false
        /// Announce a long body, then send a space now and then.
        var drips = false
    }

    private let channel: any Channel
    private let log: NIOLockedValueBox<[Request]>

    var endpoint: String { "https://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
    var requests: [Request] { log.withLockedValue { $0 } }

    /// `answer` gets the request and its number, from 0.
    init(_ identity: TestIdentity, answer: @escaping @Sendable (Request, Int) -> Response) async throws {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(identity.certificatePEM.utf8)).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.keyPEM.utf8), format: .pem)))
        tls.minimumTLSVersion = .tlsv13
        tls.applicationProtocols = ["http/1.1"]
        let context = try NIOSSLContext(configuration: tls)
        let log = NIOLockedValueBox<[Request]>([])
        self.log = log
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Handler { request in
                            let number = log.withLockedValue { list in
                                list.append(request)
                                return list.count - 1
                            }
                            return answer(request, number)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func close() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: @Sendable (Request) -> Response
        private var request: Request?

        init(_ answer: @escaping @Sendable (Request) -> Response) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                request = Request(method: head.method.rawValue, uri: head.uri, headers: head.headers, body: "")
            case .body(let buffer):
                request?.body += String(buffer: buffer)
            case .end:
                guard let request else { return }
                let response = answer(request)
                if response.drops {
                    context.close(promise: nil)
                    return
                }
                if response.drips {
                    let head = HTTPResponseHead(
                        version: .http1_1, status: .ok, headers: ["content-length": "100000"])
                    context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
                    let channel = context.channel
                    context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) { task in
                        guard channel.isActive else { return task.cancel() }
                        channel.writeAndFlush(
                            HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: " "))), promise: nil)
                    }
                    return
                }
                var headers = HTTPHeaders(response.headers)
                headers.add(name: "content-length", value: String(response.body.utf8.count))
                let head = HTTPResponseHead(version: .http1_1, status: response.status, headers: headers)
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: response.body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
