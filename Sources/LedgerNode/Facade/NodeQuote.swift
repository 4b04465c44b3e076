/// Evidence of what the node runs on. Format `Insecure_Virtual` protects against nobody and says so.
public struct NodeQuote: Hashable, Sendable {
    /// `Insecure_Virtual` until another platform exists.
    public var format: String
    /// The raw evidence; for the virtual platform a JSON statement (ccf-formats 7.8).
    public var raw: [UInt8]
    public var endorsements: [UInt8]
    /// Hex.
    public var measurement: String

    public init(format: String, raw: [UInt8], endorsements: [UInt8], measurement: String) {
        self.format = format
        self.raw = raw
        self.endorsements = endorsements
        self.measurement = measurement
    }
}
