/// The names that one JSON object had so far. Most objects have a handful, for which a list is the quickest set.
package struct JSONMemberNames {
    private var few: [String] = []
    private var many: Set<String> = []
    private static let fewCount = 16

    package init() {}

    /// `false` when the name is there already.
    package mutating func insert(_ name: String) -> Bool {
        if few.count < Self.fewCount {
            guard !few.contains(name) else { return false }
            few.append(name)
            return true
        }
        if many.isEmpty { many = Set(few) }
        return many.insert(name).inserted
    }
}
