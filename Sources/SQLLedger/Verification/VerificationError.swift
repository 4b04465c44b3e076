/// Why evidence could not be read. Becomes `VERIFIER_BLOCKED`.
public struct VerificationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The object that could not be read.
    public var object: String
    public var reason: String

    @inline(never)
    public init(object: String, reason: String) {
        self.object = object
        self.reason = reason
    }

    public var description: String { "\(object): \(reason)" }
}
