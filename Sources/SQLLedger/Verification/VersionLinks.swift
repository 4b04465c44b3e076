/// When a row version began and ended, as the stored row says.
public struct VersionLinks: Sendable, Hashable {
    public var start: RowStart
    public var end: RowStart?

    public init(start: RowStart, end: RowStart?) {
        self.start = start
        self.end = end
    }
}
