import LedgerProofs
import Testing

@testable import LedgerNode

@Suite struct ViewTests {
    @Test func skippedViewsAreNoPartOfTheHistory() {
        var state = LedgerState()
        #expect(state.viewHistory == [])
        let ids = [(2, 1), (2, 2), (5, 3), (6, 4), (6, 5), (900, 6)].map {
            TransactionID(view: View(UInt32($0.0)), seqno: SequenceNumber(UInt64($0.1)))
        }
        for id in ids { state.note(id) }
        #expect(state.viewHistory == [ids[0], ids[2], ids[3], ids[5]])
    }

    /// A failure now and then is tried again at once; callers that come back without end do not set the pace.
    @Test func pausesGrow() {
        #expect(Committer.pause(afterFailures: 1) == nil && Committer.pause(afterFailures: 8) == nil)
        #expect((9...14).map { Committer.pause(afterFailures: $0) } == [1, 2, 4, 8, 16, 16].map { .seconds($0) })
        #expect(Committer.pause(afterFailures: .max) == .seconds(16))
    }
}
