/// Why a batch was not written although the next one may be.
struct WriteTrouble: Sendable {
    var reason: String
    var isDiskFull: Bool
}
