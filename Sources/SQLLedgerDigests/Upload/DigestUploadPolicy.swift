/// How an uploader paces itself.
public struct DigestUploadPolicy: Hashable, Sendable {
    /// How often the engine is asked for a new block while nothing is behind.
    public var interval: Duration = .seconds(30)
    /// The pause after a first failure; doubled after each further one.
    public var firstPause: Duration = .seconds(1)
    /// No pause is longer.
    public var longestPause: Duration = .seconds(300)

    public init() {}

    /// The pause after `failureCount` failures in a row, at least 1.
    func pause(afterFailures failureCount: Int) -> Duration {
        var pause = firstPause
        for _ in 1..<max(1, min(failureCount, 40)) where pause < longestPause { pause = pause * 2 }
        return min(pause, longestPause)
    }
}
