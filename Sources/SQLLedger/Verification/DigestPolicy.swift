/// What a verifier demands of digests, pinned outside of the database.
public struct DigestPolicy: Sendable, Hashable {
    /// The oldest transaction that no digest covers may have been committed at most this many seconds before the
    /// verification. `nil`: any age.
    public var maximumAge: Double?

    /// The digest that first covers a transaction may have been made at most this many seconds after its commit, for those
    /// behind the first digest. `nil`: any time.
    public var maximumGap: Double?

    /// The places to which the database must upload its digests. `nil`: any.
    public var locations: [String]?

    /// Transactions after the newest digest that are accepted without one. `nil`: any number.
    public var maximumTail: UInt64?

    /// How many seconds clocks may differ before a time counts as wrong.
    public var clockTolerance: Double

    public init(
        maximumAge: Double? = nil, maximumGap: Double? = nil, locations: [String]? = nil, maximumTail: UInt64? = nil,
        clockTolerance: Double = 300
    ) {
        self.maximumAge = maximumAge
        self.maximumGap = maximumGap
        self.locations = locations
        self.maximumTail = maximumTail
        self.clockTolerance = clockTolerance
    }
}
