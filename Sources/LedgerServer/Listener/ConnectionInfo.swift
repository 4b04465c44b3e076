import LedgerNode

/// What is known about a connection once its handshake is done. Made once, read by every request on it.
struct ConnectionInfo: Sendable {
    let peer: PeerCertificate?
    /// The identity of `peer`.
    let identity: Identity?
    /// What the last request brought.
    let lastToken = LastToken()

    init(peer: PeerCertificate?) {
        self.peer = peer
        self.identity = peer?.identity
    }
}
