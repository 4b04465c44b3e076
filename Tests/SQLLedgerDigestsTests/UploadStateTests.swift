import SQLLedger
import SQLLedgerDigests
import Testing

/// The uploader's decisions, without a store, a database or a clock.
@Suite struct UploadStateTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start.advanced(by: .seconds(seconds)) }

    /// A store that was asked whether it has the block that the database has noted.
    private func confirmed(
        _ block: BlockID, _ policy: DigestUploadPolicy = DigestUploadPolicy()
    ) -> DigestUploadState {
        var state = DigestUploadState(noted: block, policy: policy)
        state.closed(block)
        #expect(state.next(now: start) == .look(block))
        state.stored(block)
        return state
    }

    /// The database's note is asked for at the store; until then the store counts as behind.
    @Test func aNoteIsNotBelieved() {
        var state = DigestUploadState(noted: BlockID(4))
        #expect(state.next(now: start) == .idle, "nothing is known of the database yet")
        state.closed(BlockID(4))
        #expect(state.next(now: start) == .look(BlockID(4)) && state.blocksBehind == 1 && state.lastStored == nil)
        state.failed(BlockID(4), .unavailable, reason: "away", now: start)
        #expect(state.next(now: at(1)) == .look(BlockID(4)) && state.blocksBehind == 1)
        state.closed(BlockID(6))
        var emptied = state
        state.stored(BlockID(4))
        #expect(state.next(now: at(1)) == .upload(BlockID(5)) && state.loss == nil && state.startBlock == nil)
        #expect(state.blocksBehind == 2)
        emptied.found(nothingFor: BlockID(4))
        for block in 4...6 {
            #expect(emptied.next(now: at(1)) == .upload(BlockID(UInt64(block))), "none is left out")
            #expect(emptied.loss?.contains("block 4") == true && emptied.blocksBehind == UInt64(7 - block))
            emptied.stored(BlockID(UInt64(block)))
        }
        #expect(emptied.next(now: at(1)) == .idle && emptied.loss != nil && emptied.startBlock == BlockID(4))
    }

    /// What cannot be read is not there; newer digests are not held back by it.
    @Test func aDamagedDigestThatWasNotedHoldsNothingBack() {
        var state = DigestUploadState(noted: BlockID(4))
        state.closed(BlockID(5))
        state.failed(BlockID(4), .damaged, reason: "unreadable", now: start)
        #expect(state.next(now: start) == .upload(BlockID(5)) && state.loss != nil)
    }

    /// Stores lose things while the uploader runs, too.
    @Test func whatWasStoredIsAskedForAgain() {
        var state = confirmed(BlockID(4))
        state.doubt()
        #expect(state.next(now: start) == .look(BlockID(4)) && state.blocksBehind == 0)
        state.failed(BlockID(4), .unavailable, reason: "away", now: start)
        state.closed(BlockID(6))
        #expect(state.next(now: start) == .wait(until: at(1)) && state.blocksBehind == 2)
        state.doubt()
        #expect(state.next(now: at(1)) == .look(BlockID(4)))
        var damaged = state
        state.found(nothingFor: BlockID(4))
        #expect(state.loss?.hasPrefix("the digest of block 4 was uploaded") == true)
        #expect(state.blocksBehind == 3)
        for block in 4...6 {
            #expect(state.next(now: at(1)) == .upload(BlockID(UInt64(block))), "none is left out")
            state.stored(BlockID(UInt64(block)))
        }
        #expect(state.next(now: at(1)) == .idle && state.blocksBehind == 0)
        damaged.failed(BlockID(4), .damaged, reason: "unreadable", now: start)
        #expect(damaged.next(now: at(1)) == .upload(BlockID(5)) && damaged.loss?.contains("cannot be read") == true)
        #expect(damaged.failureCount == 0 && damaged.lastFailure == nil)
    }

    /// A store that was away for long while nothing was to be uploaded.
    @Test func nothingWaitsLongForAQuietStore() {
        var state = confirmed(BlockID(4))
        state.doubt()
        for _ in 0..<40 { state.failed(BlockID(4), .unavailable, reason: "away", now: start) }
        state.closed(BlockID(5))
        #expect(state.next(now: at(29)) == .wait(until: at(30)) && state.next(now: at(30)) == .look(BlockID(4)))
        state.stored(BlockID(4))
        #expect(state.next(now: at(30)) == .upload(BlockID(5)) && state.failureCount == 0)
    }

    /// Nothing is asked for before anything is stored, and a halted store stays as it is.
    @Test func doubtsChangeNothingElse() {
        var new = DigestUploadState(noted: nil)
        new.closed(BlockID(3))
        new.doubt()
        #expect(new.next(now: start) == .upload(BlockID(3)))
        var state = confirmed(BlockID(0))
        state.found(otherHistory: "fork")
        state.doubt()
        #expect(state.next(now: start) == .halted)
    }

    @Test func blocksGoOneByOneInOrder() {
        var state = confirmed(BlockID(4))
        #expect(state.next(now: start) == .idle)
        state.closed(BlockID(7))
        for block in 5...7 {
            #expect(state.next(now: start) == .upload(BlockID(UInt64(block))))
            #expect(state.blocksBehind == UInt64(8 - block))
            state.stored(BlockID(UInt64(block)))
        }
        #expect(state.next(now: start) == .idle)
        #expect(state.blocksBehind == 0 && state.startBlock == nil)
    }

    @Test func aNewStoreStartsWithTheNewestBlockAndSaysSo() {
        var state = DigestUploadState(noted: nil)
        #expect(state.next(now: start) == .idle && state.blocksBehind == 0)
        state.closed(BlockID(9))
        #expect(state.next(now: start) == .upload(BlockID(9)))
        state.stored(BlockID(9))
        #expect(state.startBlock == BlockID(9) && state.next(now: start) == .idle)
        state.closed(BlockID(11))
        #expect(state.next(now: start) == .upload(BlockID(10)), "from then on none is left out")
    }

    @Test func anUnknownOutcomeIsReadFromTheStore() {
        var state = confirmed(BlockID(0))
        state.closed(BlockID(1))
        state.failed(BlockID(1), .unavailable, reason: "away", now: start)
        #expect(state.next(now: start) == .wait(until: at(1)))
        #expect(state.next(now: at(1)) == .look(BlockID(1)))
        state.found(nothingFor: BlockID(1))
        #expect(state.next(now: at(1)) == .upload(BlockID(1)))
        #expect(state.failureCount == 1 && state.lastFailure == "away", "only a success ends the failure")
        state.stored(BlockID(1))
        #expect(state.failureCount == 0 && state.lastFailure == nil)
    }

    @Test func pausesDoubleUpToTheLongest() {
        var policy = DigestUploadPolicy()
        policy.longestPause = .seconds(10)
        var state = confirmed(BlockID(0), policy)
        state.closed(BlockID(1))
        var now = 0.0
        for pause in [1.0, 2, 4, 8, 10, 10] {
            state.failed(BlockID(1), .unavailable, reason: "away", now: at(now))
            #expect(state.next(now: at(now)) == .wait(until: at(now + pause)))
            #expect(state.next(now: at(now + pause - 0.001)) == .wait(until: at(now + pause)))
            now += pause
            #expect(state.next(now: at(now)) == .look(BlockID(1)))
        }
    }

    @Test func aRefusalIsTriedAgainWithoutReading() {
        var state = confirmed(BlockID(0))
        state.closed(BlockID(1))
        state.failed(BlockID(1), .refused, reason: "no right", now: start)
        #expect(state.next(now: start) == .wait(until: at(1)))
        #expect(state.next(now: at(1)) == .upload(BlockID(1)))
        #expect(state.blocksBehind == 1 && state.lastFailure == "no right")
    }

    @Test func aConflictIsLookedIntoAtOnceButNotForEver() {
        var state = confirmed(BlockID(0))
        state.closed(BlockID(1))
        state.failed(BlockID(1), .conflict, reason: "another", now: start)
        #expect(state.next(now: start) == .look(BlockID(1)))
        state.found(nothingFor: BlockID(1))
        state.failed(BlockID(1), .conflict, reason: "another", now: start)
        #expect(state.next(now: start) == .wait(until: at(2)))
    }

    @Test func anotherHistoryHaltsForGood() {
        var state = confirmed(BlockID(0))
        state.closed(BlockID(1))
        state.failed(BlockID(1), .conflict, reason: "another", now: start)
        state.found(otherHistory: "fork")
        state.closed(BlockID(5))
        #expect(state.next(now: at(1e6)) == .halted && state.isHalted)
        #expect(state.lastFailure == "fork" && state.blocksBehind == 5)
    }

    /// Notes that say more than there is would stop uploads in silence.
    @Test func notesAheadOfTheLedgerAreNotBelieved() {
        var state = DigestUploadState(noted: BlockID(1_000_000))
        state.closed(BlockID(5))
        #expect(state.next(now: start) == .look(BlockID(5)) && state.blocksBehind == 1)
        #expect(state.lastFailure?.contains("1000000") == true && state.failureCount == 1)
        #expect(state.missing == BlockID(1_000_000))
        state.foundNothingNewer()
        state.found(nothingFor: BlockID(5))
        #expect(state.next(now: start) == .upload(BlockID(5)) && state.missing == nil)
        state.stored(BlockID(5))
        #expect(state.lastFailure == nil && state.next(now: start) == .idle)
        state.closed(BlockID(6))
        #expect(state.next(now: start) == .upload(BlockID(6)))
    }

    /// A database that goes back while the process runs.
    @Test func anOlderCopyHaltsUntilItIsGone() {
        var state = confirmed(BlockID(5))
        state.closed(BlockID(5))
        state.closed(BlockID(3))
        #expect(state.next(now: start) == .look(BlockID(3)) && state.missing == BlockID(5))
        state.found(newer: BlockID(4))
        for _ in 0..<2 {
            #expect(state.next(now: at(1e6)) == .halted && state.isHalted && state.lastStored == BlockID(5))
            #expect(state.lastFailure?.contains("an older copy of the database was restored") == true)
            state.closed(BlockID(3))
        }
        // What is written then may be another history.
        state.closed(BlockID(4))
        #expect(state.next(now: start) == .look(BlockID(4)))
        state.found(newer: BlockID(5))
        #expect(state.isHalted)
        // As new as the store again: the same, or written anew.
        state.closed(BlockID(7))
        #expect(state.next(now: start) == .look(BlockID(5)) && !state.isHalted)
        var other = state
        state.stored(BlockID(5))
        #expect(state.next(now: start) == .upload(BlockID(6)) && state.lastFailure == nil)
        other.found(otherHistory: "fork")
        other.closed(BlockID(3))
        #expect(other.next(now: start) == .halted && other.lastFailure == "fork")
    }

    /// The database can fail too: nothing is known about the store then, so nothing is read from it.
    @Test func aFailureOfTheDatabaseIsTriedAgain() {
        var state = confirmed(BlockID(0))
        state.closed(BlockID(1))
        state.failed(BlockID(1), nil, reason: "locked", now: start)
        #expect(state.next(now: at(1)) == .upload(BlockID(1)))
    }
}
