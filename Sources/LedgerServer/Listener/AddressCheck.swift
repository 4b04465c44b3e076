import LedgerNode
import NIOCore
import NIOPosix

extension LedgerServer {
    /// Binds the address and lets go of it again, so that a program can find out before it creates a ledger whether it
    /// could serve it. Error: `inputOutput` with the system's reason.
    public static func checkAddress(host: String, port: Int) async throws {
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: port).get()
            try await channel.close()
        } catch let error as IOError {
            throw SecureListener.cannotListen("\(host):\(port)", error)
        } catch is SocketAddressError.UnknownHost {
            throw LedgerError(.inputOutput, "cannot listen on \(host):\(port): there is no address of that name")
        }
    }
}
