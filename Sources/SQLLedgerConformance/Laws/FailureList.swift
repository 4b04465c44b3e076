/// Collects what one law finds.
final class FailureList {
    let law: String
    private(set) var failures: [ConformanceFailure] = []

    init(_ law: String) {
        self.law = law
    }

    func expect(_ isTrue: Bool, _ reason: @autoclosure () -> String) {
        if !isTrue { failures.append(ConformanceFailure(law: law, reason: reason())) }
    }

    func expectEqual<T: Equatable>(_ found: T, _ expected: T, _ what: @autoclosure () -> String) {
        expect(found == expected, "\(what()): expected \(expected), found \(found)")
    }
}
