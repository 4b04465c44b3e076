/// Something that one thread, any thread, does once.
protocol Work: AnyObject, Sendable {
    /// Does the work unless it has begun. Returns whether it was done here.
    func runIfWaiting() -> Bool
}
