/// The suite cannot go on.
struct ConformanceError: Error, CustomStringConvertible {
    var reason: String
    var description: String { reason }
}
