import SQLLedger

/// Decides what is uploaded to one store. Plain values: events go in, `next` says what to do; clock, store and database
/// are somebody else's.
///
/// Blocks are uploaded one by one in ascending order and none is left out. A store that is new for a ledger starts with
/// the newest block, which covers all before it; `startBlock` says so. What the database has noted of a store is believed
/// when the store has been asked: whoever can write the database can write the note, and stores lose things. Uploads begin
/// again with what is not there.
public struct DigestUploadState: Hashable, Sendable {
    private enum Phase: Hashable {
        case ready
        /// Whether the digest of this block is stored must be read from the store.
        case unknown(BlockID)
        /// The store has newer blocks than the database.
        case overtaken
        case halted
    }

    private let policy: DigestUploadPolicy
    private var phase = Phase.ready
    private var pausedUntil: ContinuousClock.Instant?

    /// The newest block whose digest is stored, as the store has said; `nil` before the first.
    public private(set) var lastStored: BlockID?
    /// The same as the database has it, until the store has been asked.
    public private(set) var noted: BlockID?
    /// Where uploads go on in a store that has not what was noted: with it, or behind it where it is written and cannot be read.
    private var lost: BlockID?
    /// The newest closed block that is known.
    public private(set) var newest: BlockID?
    /// The first block that was sent to a store that is new for the ledger.
    public private(set) var startBlock: BlockID?
    /// Failures since the last success.
    public private(set) var failureCount = 0
    /// Why the last attempt failed; `nil` after a success.
    public private(set) var lastFailure: String?

    /// The newest block that was stored, as far as is known, and that the database has not. `nil` when there is none.
    public private(set) var missing: BlockID?

    /// What the store should have had, as the database notes, and has not; `nil` when there is no such thing.
    public private(set) var loss: String?

    /// `noted`: what `database_ledger_digest_locations` says.
    public init(noted: BlockID?, policy: DigestUploadPolicy = DigestUploadPolicy()) {
        self.noted = noted
        self.policy = policy
        if let noted { phase = .unknown(noted) }
    }

    /// Whether the store has not been asked yet for what the database has noted, and the database has no newer block.
    public var mayBeOlderCopy: Bool { noted != nil && noted == newest }

    public var isHalted: Bool { phase == .halted || phase == .overtaken }

    /// How many blocks have no digest at the store. For a new store only the newest counts.
    public var blocksBehind: UInt64 {
        guard let newest else { return 0 }
        if noted == newest { return 1 }
        if lastStored == nil, let lost { return newest >= lost ? newest.rawValue - lost.rawValue + 1 : 1 }
        guard let lastStored = lastStored ?? noted else { return 1 }
        return newest > lastStored ? newest.rawValue - lastStored.rawValue : 0
    }

    // MARK: Events

    /// The engine has closed blocks up to this one. When the ledger says that it is behind what is stored already, its
    /// notes were changed or an older copy was put in its place: the store is read, which tells which.
    public mutating func closed(_ block: BlockID) {
        let before = newest
        newest = block
        guard phase != .halted else { return }
        if let missing {
            if block >= missing {
                // Whole again, or with other blocks in their place.
                self.missing = nil
                phase = .unknown(missing)
            } else if block != before {
                phase = .unknown(block)
            }
            return
        }
        guard let last = lastStored ?? noted, block < last else { return }
        missing = last
        lastStored = nil
        noted = nil
        phase = .unknown(block)
        failureCount += 1
        lastFailure =
            "the database says that block \(last) was uploaded, and has no block after \(block): an older copy of it "
            + "was restored, or its notes were changed"
    }

    /// The store has confirmed the digest of `block`.
    public mutating func stored(_ block: BlockID) {
        if lastStored == nil, noted == nil { startBlock = block }
        noted = nil
        lastStored = max(lastStored ?? block, block)
        phase = .ready
        succeeded()
    }

    /// An upload or a look at the store failed. `code` `nil`: the database could not be read.
    public mutating func failed(
        _ block: BlockID, _ code: DigestStoreError.Code?, reason: String, now: ContinuousClock.Instant
    ) {
        failureCount += 1
        lastFailure = reason
        switch code {
        case .conflict?:
            // Maybe an earlier attempt of our own with another digest time, so look at once; but only once.
            phase = .unknown(block)
            if failureCount == 1 { return }
        case .damaged? where wasStored(block):
            // It is written, and writes no other. What is newer is not held back by it.
            loss = "\(wasThere(block)), and it cannot be read: \(reason)"
            lost = block.next
            noted = nil
            lastStored = nil
            phase = .ready
            succeeded()
            return
        case .unavailable?, .damaged?: phase = .unknown(block)
        default: break
        }
        let pause = policy.pause(afterFailures: failureCount)
        // Where nothing waits it is asked as often as ever, so that what comes next does not wait for long.
        pausedUntil = now.advanced(by: block == lastStored ? min(pause, policy.interval) : pause)
    }

    /// The store was read: it has no digest of `block`.
    public mutating func found(nothingFor block: BlockID) {
        if wasStored(block) {
            loss = "\(wasThere(block)), and the store has none; it is uploaded again"
            lost = block
            noted = nil
            lastStored = nil
        }
        phase = .ready
        pausedUntil = nil
    }

    /// The store was read: it holds this block, which is newer than the database's newest.
    public mutating func found(newer block: BlockID) {
        let last = max(missing ?? block, block)
        missing = last
        lastStored = last
        noted = nil
        phase = .overtaken
        failureCount += 1
        lastFailure =
            "it holds the digest of block \(block), and the database has no block after "
            + "\(newest.map { "\($0)" } ?? "the beginning"): an older copy of the database was restored"
        pausedUntil = nil
    }

    /// The store was read: it holds no block that the database has not.
    public mutating func foundNothingNewer() { missing = nil }

    /// The store was read: it holds another hash for `block`.
    public mutating func found(otherHistory reason: String) {
        phase = .halted
        failureCount += 1
        lastFailure = reason
        pausedUntil = nil
    }

    /// Whether this block is the one that was uploaded last, as far as is known.
    public func wasStored(_ block: BlockID) -> Bool { noted == block || lastStored == block }

    private func wasThere(_ block: BlockID) -> String {
        noted == block
            ? "the database says that the digest of block \(block) was uploaded"
            : "the digest of block \(block) was uploaded"
    }

    /// A round begins: stores lose things, so what was stored last is asked for again.
    public mutating func doubt() {
        if phase == .ready, let lastStored { phase = .unknown(lastStored) }
    }

    /// A pause after a failure is over.
    public mutating func resume() { pausedUntil = nil }

    private mutating func succeeded() {
        failureCount = 0
        lastFailure = nil
        pausedUntil = nil
    }

    // MARK: Decision

    /// What to do at the time `now`.
    public func next(now: ContinuousClock.Instant) -> DigestUploadAction {
        if isHalted { return .halted }
        if let pausedUntil, now < pausedUntil { return .wait(until: pausedUntil) }
        guard let newest else { return .idle }
        if case .unknown(let block) = phase { return .look(block) }
        guard let lastStored else {
            let first = lost ?? newest
            return first > newest ? .idle : .upload(first)
        }
        return lastStored < newest ? .upload(lastStored.next) : .idle
    }
}
