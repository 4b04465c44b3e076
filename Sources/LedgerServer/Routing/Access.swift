import LedgerNode

/// What a route asks of its caller.
enum Access: Sendable {
    /// Nothing.
    case open
    /// A user whose roles cover the action.
    case requires(LedgerAction)
    /// The same, unless governance may be read anonymously.
    case governance(LedgerAction)
    /// The same, unless files may be downloaded anonymously.
    case download(LedgerAction)

    /// The action that is needed under these settings; `nil`: none.
    func action(_ configuration: LedgerServerConfiguration) -> LedgerAction? {
        switch self {
        case .open: nil
        case .requires(let action): action
        case .governance(let action): configuration.anonymousGovernance ? nil : action
        case .download(let action): configuration.anonymousDownloads ? nil : action
        }
    }
}
