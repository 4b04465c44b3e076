import SQLLedgerConformance

/// One thing that an engine could do wrong, most of them when it reads evidence.
enum EngineFault: String, CaseIterable, Sendable {
    case otherFormat, blocksBackwards, blockSkipped, transactionSkipped, transactionsFromTheStart, principalOfAnother
    case timesBackwards, ordinalsFromOne, eventSkipped, oneStreamAtATime, partTwice, liveRowsOnly, wantedIgnored
    case valueOfAnotherType, oldColumnNames, placesShifted, scanOfLiveRowsOnly, afterIgnored, oneLeafTooMany
    case chunksTogether, noChunks, leafAltered, rootsAltered, noNodes, readersApart, historyUnread, digestsRepeat,
        rollbackCommits
    case appendOnlyForgotten, neighbourExported

    /// The law that forbids it.
    var law: ConformanceLaw {
        switch self {
        case .otherFormat: .identity
        case .blocksBackwards, .blockSkipped: .blocks
        case .transactionSkipped, .principalOfAnother, .timesBackwards, .ordinalsFromOne: .transactions
        case .eventSkipped: .schemaEvents
        case .transactionsFromTheStart, .oneStreamAtATime: .streams
        case .partTwice, .liveRowsOnly, .wantedIgnored, .valueOfAnotherType, .oldColumnNames: .versions
        case .placesShifted: .leaves
        case .scanOfLiveRowsOnly, .afterIgnored, .oneLeafTooMany: .scans
        case .chunksTogether, .noChunks, .noNodes: .storedHashes
        case .readersApart: .snapshot
        case .historyUnread, .leafAltered, .rootsAltered: .verification
        case .digestsRepeat: .digests
        case .rollbackCommits: .rollback
        case .appendOnlyForgotten: .appendOnly
        case .neighbourExported: .evidence
        }
    }
}
