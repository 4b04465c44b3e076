/// The status of the service in `service.info`. Any text is possible on disk; the known ones have names.
public struct ServiceStatus: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let opening = ServiceStatus(rawValue: "Opening")
    public static let open = ServiceStatus(rawValue: "Open")
    public static let recovering = ServiceStatus(rawValue: "Recovering")
    public static let waitingForRecoveryShares = ServiceStatus(rawValue: "WaitingForRecoveryShares")

    public var description: String { rawValue }

    /// Whether the row may change from `self` to `next` (CCF ledger format 3.7).
    public func mayBecome(_ next: ServiceStatus) -> Bool {
        if next == self || next == .opening { return true }
        switch (self, next) {
        case (.opening, .open), (.opening, .waitingForRecoveryShares), (.open, .recovering),
            (.recovering, .waitingForRecoveryShares), (.waitingForRecoveryShares, .open):
            return true
        default:
            return false
        }
    }
}
