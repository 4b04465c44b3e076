import Foundation
import HummingbirdCore
import LedgerNode
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The bound TLS port: accepts connections and hands requests to a responder. Knows nothing about ledgers.
final class SecureListener: Service {
    private let contexts: TLSContexts
    private let server: Server<SecureChildChannel>
    private let updates: AsyncStream<TLSIdentity>
    private let logger: Logger
    private let bound: BoundPort
    private let drainTimeout: Duration
    private let address: String
    let gauge: ConnectionGauge

    init(
        host: String, port: Int, limits: ServerLimits, identity: TLSIdentity, updates: AsyncStream<TLSIdentity>,
        gauge: ConnectionGauge = ConnectionGauge(), logger: Logger, responder: @escaping ConnectionResponder
    ) throws {
        let contexts = try TLSContexts(identity)
        let bound = BoundPort()
        self.contexts = contexts
        self.updates = updates
        self.logger = logger
        self.bound = bound
        self.gauge = gauge
        self.drainTimeout = limits.drainTimeout
        self.address = "\(host):\(port)"
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        self.server = Server(
            childChannelSetup: SecureChildChannel(
                contexts: contexts, limits: limits, gauge: gauge, responder: responder),
            configuration: ServerConfiguration(
                address: .hostname(host, port: port), backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connectionCount)),
            onServerRunning: { channel in bound.set(channel.localAddress?.port) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: quiet)
    }

    /// Waits until the port is bound. `nil` when the listener ended without.
    var port: Int? { get async { await bound.value } }

    static func cannotListen(_ address: String, _ error: IOError) -> LedgerError {
        LedgerError(
            .inputOutput, "cannot listen on \(address): \(String(cString: strerror(error.errnoCode)))", cause: error)
    }

    func run() async throws {
        defer { bound.set(nil) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await self.server.run()
                } catch let error as IOError {
                    throw Self.cannotListen(self.address, error)
                }
                return true
            }
            group.addTask {
                for await identity in self.updates.cancelOnGracefulShutdown() {
                    do {
                        try self.contexts.replace(with: identity)
                        self.logger.info("new connections are shown the renewed node certificate")
                    } catch {
                        self.logger.error("the renewed node certificate is unusable", metadata: ["error": "\(error)"])
                    }
                }
                return false
            }
            group.addTask {
                // Answers in progress have this long once the server is stopping.
                try await gracefulShutdown()
                try await Task.sleep(for: self.drainTimeout)
                self.logger.warning("connections that did not end in time are closed")
                return true
            }
            while let serverEnded = try await group.next() {
                if serverEnded { break }
            }
            group.cancelAll()
        }
    }
}
