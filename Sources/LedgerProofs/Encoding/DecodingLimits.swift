/// What a decoder accepts at most. Input beyond a limit is refused before anything is allocated for it.
public struct DecodingLimits: Hashable, Sendable {
    /// The number of bytes of the whole input.
    public var maximumByteCount: Int
    /// How deep arrays, maps, objects and tags may stand inside each other.
    public var maximumDepth: Int
    /// The number of values of the whole input, the containers and their keys included.
    public var maximumItemCount: Int

    /// The defaults hold every receipt with room to spare: 1 MiB, depth 16, 4096 values.
    public init(maximumByteCount: Int = 1 << 20, maximumDepth: Int = 16, maximumItemCount: Int = 4096) {
        self.maximumByteCount = maximumByteCount
        self.maximumDepth = maximumDepth
        self.maximumItemCount = maximumItemCount
    }
}
