/// A value of the `api-version` query parameter (API spec A.1). All of them select the same data; only the shape
/// of the custom role bodies differs (A.6).
public struct APIVersion: Hashable, Sendable {
    public let name: String

    private init(_ name: String) { self.name = name }

    /// Every version that is accepted, oldest first.
    public static let known: [APIVersion] = [
        "0.1-preview", "2022-04-20-preview", "2022-20-04-preview", "2022-05-13", "2022-08-13", "2022-11-23",
        "2023-01-18-preview", "2024-01-26-preview", "2024-07-26-preview", "2024-08-22-preview",
        "2024-12-09-preview", "2026-02-23", "2026-07-31-preview",
    ].map(APIVersion.init)

    private static let byName = Dictionary(uniqueKeysWithValues: known.map { ($0.name, $0) })

    /// What an absent `api-version` means.
    public static let newestStable = APIVersion("2026-02-23")

    /// Returns `nil` for a version that is not in `known`.
    public init?(name: some StringProtocol) {
        guard let version = Self.byName[String(name)] else { return nil }
        self = version
    }

    /// The three shapes of custom role calls (API spec A.6).
    public enum RoleShape: Sendable {
        /// Bodies and answers are arrays; a removal answers 200.
        case array
        /// Bodies and answers are `{roles: […]}`, the list answer is `{role: […]}`; a removal answers 200.
        case object
        /// As `object`, but a removal answers 204.
        case objectWithoutContent
    }

    public var roleShape: RoleShape {
        switch name {
        case "2026-07-31-preview": .objectWithoutContent
        case "2026-02-23": .object
        default: .array
        }
    }
}
