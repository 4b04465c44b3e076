/// The result of `work`, or what it throws; after `limit` it is cancelled and `late` is thrown.
///
/// For answers from the network: the HTTP library's own timeout ends with the head, and a body may drip for ever.
/// Also throws when the task is cancelled, since a body whose reader is cancelled just ends.
func within<Value: Sendable>(
    _ limit: Duration, orThrow late: any Error, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask {
            let value = try await work()
            try Task.checkCancellation()
            return value
        }
        group.addTask {
            try await Task.sleep(for: limit)
            throw late
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}
