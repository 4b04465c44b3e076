import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// A connection that sends any bytes, in clear or through TLS, and collects what comes back until the end.
final class RawConnection: Sendable {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    init(port: Int, tls: TLSConfiguration?) async throws {
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(
            host: "127.0.0.1", port: port
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                if let tls {
                    let handler = try NIOSSLClientHandler(
                        context: NIOSSLContext(configuration: tls), serverHostname: "localhost")
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
                return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
            }
        }
    }

    /// Writes the pieces with pauses, then reads until the peer closes. Errors end the reading.
    func exchange(_ pieces: [String], pause: Duration = .zero) async -> String {
        var received = ""
        do {
            received = try await channel.executeThenClose { inbound, outbound in
                var text = ""
                let writer = Task {
                    for piece in pieces {
                        try await outbound.write(ByteBuffer(string: piece))
                        if pause > .zero { try await Task.sleep(for: pause) }
                    }
                }
                defer { writer.cancel() }
                do {
                    for try await buffer in inbound { text += String(buffer: buffer) }
                } catch {}
                return text
            }
        } catch {}
        return received
    }
}
