import Foundation
import LedgerFormat
import LedgerProofs
import Logging
import Synchronization

/// The nodes that a proof needs, found without trusting the level files: from a signed root downwards, every group
/// of nodes must hash to what is known already. A group that does not is computed again, from ever deeper levels
/// and at last from the ledger. One changed node costs a few reads; memory grows with the logarithm of the tree.
struct MerkleWalk {
    struct Place: Hashable {
        var level: Int
        var index: UInt64

        /// The leaves below.
        var leaves: Range<UInt64> { index << UInt64(level)..<(index + 1) << UInt64(level) }
    }

    /// Neither the files nor the ledger lead to `expected`: the ledger was changed somewhere in `leaves`.
    struct Unresolved: Error {
        var leaves: Range<UInt64>
        var expected: Digest32
    }

    /// `nil` for what cannot be read.
    let stored: (Place) -> Digest32?
    let leaf: (UInt64) -> Digest32?
    /// Whether it is known to lead nowhere.
    let isHopeless: (Digest32) -> Bool
    /// Known to be right.
    private(set) var nodes: [Place: Digest32] = [:]
    /// Known to be wrong in the files.
    private(set) var wrong: [Place] = []

    init(
        stored: @escaping (Place) -> Digest32?, leaf: @escaping (UInt64) -> Digest32?,
        isHopeless: @escaping (Digest32) -> Bool
    ) {
        self.stored = stored
        self.leaf = leaf
        self.isHopeless = isHopeless
    }

    /// Resolves everything that the proof of `target` in the tree of `size` leaves under `root` needs, and the
    /// target's own leaf. Requires `target < size`.
    mutating func walk(to target: UInt64, in size: TreeSize, root: Digest32) throws(Unresolved) {
        let peaks = (0..<64).reversed().filter { size.rawValue >> UInt64($0) & 1 == 1 }.map {
            Place(level: $0, index: (size.rawValue >> UInt64($0)) ^ 1)
        }
        try resolve(peaks, to: root) { MerkleFrontier(size: size, subtrees: $0)?.root() }
        guard var place = peaks.first(where: { $0.leaves.contains(target) }) else { return }
        while place.level > 0, let expected = nodes[place] {
            let left = Place(level: place.level - 1, index: place.index * 2)
            let right = Place(level: place.level - 1, index: place.index * 2 + 1)
            try resolve([left, right], to: expected) { MerkleRule.plain.parent($0[0], $0[1]) }
            place = left.leaves.contains(target) ? left : right
        }
    }

    private mutating func resolve(
        _ places: [Place], to expected: Digest32, parent: ([Digest32]) -> Digest32?
    ) throws(Unresolved) {
        let top = places.map(\.level).max() ?? 0
        for depth in 0...top + 1 {
            if depth == 1, isHopeless(expected) { break }
            let values = places.compactMap { value(of: $0, depth: depth) }
            guard values.count == places.count, parent(values) == expected else { continue }
            for (place, value) in zip(places, values) {
                nodes[place] = value
                if depth > 0, stored(place) != value { wrong.append(place) }
            }
            return
        }
        let leaves = places.map(\.leaves)
        throw Unresolved(
            leaves: (leaves.first?.lowerBound ?? 0)..<(leaves.last?.upperBound ?? 0), expected: expected)
    }

    /// A node computed from the nodes `depth` levels below it, or from the ledger where there are none.
    private func value(of place: Place, depth: Int) -> Digest32? {
        var frontier = MerkleFrontier()
        if depth > place.level {
            for index in place.leaves {
                guard let digest = leaf(index) else { return nil }
                frontier.append(digest)
            }
        } else {
            let below = Place(level: depth, index: place.index).leaves
            for index in below {
                guard let digest = stored(Place(level: place.level - depth, index: index)) else { return nil }
                frontier.append(digest)
            }
        }
        return frontier.root()
    }
}

/// Makes the proofs that the level files, as they are, do not give, and puts the files right on the way.
final class MerkleRepair: Sendable {
    /// How long a part of the ledger that leads nowhere is not read again, and how often repairs are logged.
    private static let interval = Duration.seconds(60)
    private static let hopelessKept = 256

    private struct State {
        var hopeless: [Digest32: ContinuousClock.Instant] = [:]
        var lastLog: ContinuousClock.Instant?
        var unlogged = 0
    }

    private let catalog: ChunkCatalog
    private let merkle: MerkleStore
    private let logger: Logger
    /// Held during a repair, so that many requests for the same damage read what it needs once.
    private let state = Mutex(State())

    init(catalog: ChunkCatalog, merkle: MerkleStore, logger: Logger) {
        self.catalog = catalog
        self.merkle = merkle
        self.logger = logger
    }

    /// The proof of the leaf of `seqno` in the tree of `size` leaves under `root`, which has been signed. Blocks.
    /// Errors: `corrupt`, only when the ledger itself is damaged; `inputOutput` when it could not be read, so that nothing
    /// is known.
    func proof(
        of digest: Digest32, at seqno: SequenceNumber, in size: TreeSize, root: Digest32
    ) throws -> InclusionProof {
        try state.withLock { state in
            let now = ContinuousClock.now
            state.hopeless = state.hopeless.filter { now - $0.value < Self.interval }
            let hopeless = state.hopeless
            var unread: DiskError?
            var walk = MerkleWalk(
                stored: { [merkle] in try? merkle.node($0.level, $0.index) },
                leaf: { [catalog] in
                    // The tree's first leaf belongs to no transaction.
                    guard $0 > 0 else { return .zero }
                    do {
                        return try Entry(decoding: catalog.entryBytes(SequenceNumber($0))).leaf()
                    } catch {
                        unread = unread ?? error as? DiskError
                        return nil
                    }
                },
                isHopeless: { hopeless[$0] != nil })
            do throws(MerkleWalk.Unresolved) {
                try walk.walk(to: seqno.rawValue, in: size, root: root)
            } catch {
                if let unread {
                    throw LedgerError(.inputOutput, "the ledger could not be read: \(unread)", cause: unread)
                }
                if state.hopeless.count < Self.hopelessKept, state.hopeless[error.expected] == nil {
                    state.hopeless[error.expected] = now
                }
                write(walk, &state, now)
                throw LedgerError(
                    .corrupt,
                    "the ledger is damaged: transactions \(max(error.leaves.lowerBound, 1)) to "
                        + "\(error.leaves.upperBound - 1) do not lead to the root signed at seqno \(size)")
            }
            write(walk, &state, now)
            let proof = try InclusionProof.build(leaf: LeafIndex(rawValue: seqno.rawValue), in: size) {
                guard let node = walk.nodes[MerkleWalk.Place(level: $0, index: $1)] else {
                    throw LedgerError(.corrupt, "Merkle node \($1) of level \($0) was not resolved")
                }
                return node
            }
            guard let proof, proof.root(of: digest) == root else {
                throw LedgerError(
                    .corrupt,
                    "the ledger is damaged: transaction \(seqno) is not the one under the root signed at seqno \(size)")
            }
            return proof
        }
    }

    /// Overwrites what is wrong. A failure only means that the next proof computes it again.
    private func write(_ walk: MerkleWalk, _ state: inout State, _ now: ContinuousClock.Instant) {
        guard let first = walk.wrong.map(\.leaves.lowerBound).min(),
            let end = walk.wrong.map(\.leaves.upperBound).max()
        else { return }
        var failure: (any Error)?
        for place in walk.wrong {
            guard let node = walk.nodes[place] else { continue }
            do { try merkle.overwrite(place.level, place.index, node) } catch { failure = error }
        }
        if let last = state.lastLog, now - last < Self.interval {
            state.unlogged += walk.wrong.count
            return
        }
        logger.warning(
            "the derived Merkle files were damaged; the damaged nodes were computed again from the ledger",
            metadata: [
                "levels": "\(Set(walk.wrong.map(\.level)).sorted())", "first": "\(first)", "last": "\(end - 1)",
                "nodes": "\(walk.wrong.count)", "repairedUnlogged": "\(state.unlogged)",
                "error": "\(failure.map { "\($0)" } ?? "none")",
            ])
        state.lastLog = now
        state.unlogged = 0
    }
}
