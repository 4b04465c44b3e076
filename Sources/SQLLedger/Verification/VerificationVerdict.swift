/// The result of a verification in one word.
public enum VerificationVerdict: String, Sendable, Hashable {
    /// Everything in scope was read, is consistent, and leads to a digest from outside.
    case verified
    /// Something was changed.
    case tampered
    /// Nothing was found changed, but something could not be checked, or nothing anchors the result.
    case unable

    /// 0, 1 and 2.
    public var exitCode: Int32 {
        switch self {
        case .verified: 0
        case .tampered: 1
        case .unable: 2
        }
    }
}
