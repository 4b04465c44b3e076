/// How much one peer may ask of the listener. Every queue, size and wait has a limit here.
public struct ServerLimits: Sendable {
    /// Bytes of a request body; a larger one is answered 413.
    public var bodyByteCount = 1 << 20
    /// Bytes of all request header fields; more are answered 431 (HTTP/1.1) or end the stream (HTTP/2).
    public var headerByteCount = 32 << 10
    /// Number of request header fields.
    public var headerFieldCount = 128
    /// Connections at once; more wait in the operating system's queue.
    public var connectionCount = 10_000
    /// From connecting to the end of the TLS handshake.
    public var handshakeTimeout: Duration = .seconds(10)
    /// From the first byte of a request head to its last.
    public var headerTimeout: Duration = .seconds(15)
    /// From the request head to the last byte of the body.
    public var bodyTimeout: Duration = .seconds(60)
    /// Without a request or an answer in progress.
    public var idleTimeout: Duration = .seconds(120)
    /// How long answers in progress may take once the server is stopping.
    public var drainTimeout: Duration = .seconds(15)

    public init() {}
}
