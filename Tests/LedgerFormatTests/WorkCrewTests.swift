import Synchronization
import Testing

@testable import LedgerFormat

@Suite struct WorkCrewTests {
    /// Every result comes from its own work, whoever did it and in whatever order they are asked for.
    @Test(arguments: [0, 1, 3]) func results(helpers: Int) {
        let crew = WorkCrew(helpers: helpers)
        let counts = Mutex([Int](repeating: 0, count: 5000))
        let items = (0..<5000).map { i in
            crew.item {
                counts.withLock { $0[i] += 1 }
                return i * i
            }
        }
        for i in stride(from: 4999, through: 0, by: -3) { #expect(crew.value(of: items[i]) == i * i) }
        for i in 0..<5000 { #expect(crew.value(of: items[i]) == i * i) }
        #expect(counts.withLock { $0 } == [Int](repeating: 1, count: 5000), "each work is done once")
    }

    /// A result may be asked for again and by several threads, and a crew may go with work left.
    @Test func manyWaiters() async {
        let crew = WorkCrew(helpers: 2)
        let items = (0..<200).map { i in crew.item { (0..<1000).reduce(i, &+) } }
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask { items.reduce(0) { $0 &+ crew.value(of: $1) } }
            }
            for await sum in group { #expect(sum == (0..<200).reduce(0) { $0 + $1 + 499_500 }) }
        }
        for i in 0..<50 { _ = WorkCrew(helpers: 2).item { i } }
    }

    /// Work that has begun is not begun again.
    @Test func workIsDoneOnce() {
        let holder = Mutex<WorkItem<Int>?>(nil)
        let count = Mutex(0)
        let item = WorkItem {
            let number = count.withLock {
                $0 += 1
                return $0
            }
            if number < 3 { #expect(holder.withLock { $0 }?.runIfWaiting() == false) }
            return number
        }
        holder.withLock { $0 = item }
        #expect(item.value == nil)
        #expect(item.runIfWaiting())
        #expect(!item.runIfWaiting())
        #expect(item.value == 1)
        holder.withLock { $0 = nil }
    }

    @Test func findingsKeepTheirPlaces() {
        func finding(_ text: String) -> LedgerFinding { LedgerFinding(.entry, text) }
        for limit in 0...8 {
            var list = FindingList(limit: limit)
            list.add(finding("a"), at: 0)
            list.add(finding("1"))
            list.add(finding("2"))
            list.add(finding("3"))
            list.add(finding("4"))
            // Signatures are settled after the entries behind them.
            list.add(finding("b"), at: 2)
            list.add(finding("c"), at: 2)
            list.add(finding("d"), at: 4)
            let all = ["a", "1", "2", "b", "c", "3", "4", "d"]
            let (findings, leftOff) = list.merged()
            #expect(findings.map(\.reason) == Array(all.prefix(limit)))
            #expect(leftOff == UInt64(all.count - limit))
        }
    }
}
