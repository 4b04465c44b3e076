import Foundation
import LedgerProofs
import Synchronization

/// Every complete subtree's root, one file a level: node `i` of level `k` covers 2ᵏ leaves from `i << k`.
/// Two nodes a leaf in all, 64 bytes; any proof is O(log n) positioned reads.
final class MerkleStore: Sendable {
    /// Keeps the levels near the root, which every proof passes, in memory: at most 256 KiB for all of them.
    private static let residentByteCountLimit = 128 << 10

    private let directory: String
    private let levels: Mutex<[AppendOnlyFile]>

    init(directory: String) throws {
        self.directory = directory
        var files: [AppendOnlyFile] = []
        while FileManager.default.fileExists(atPath: Self.path(directory, files.count)) {
            files.append(try Self.open(directory, files.count))
        }
        self.levels = Mutex(files)
    }

    private static func path(_ directory: String, _ level: Int) -> String {
        directory + (level < 10 ? "/level-0\(level)" : "/level-\(level)")
    }

    private static func open(_ directory: String, _ level: Int) throws -> AppendOnlyFile {
        try AppendOnlyFile(path: path(directory, level), residentByteCountLimit: residentByteCountLimit)
    }

    private func file(_ level: Int) throws -> AppendOnlyFile {
        try levels.withLock { files in
            while files.count <= level {
                files.append(try Self.open(directory, files.count))
            }
            return files[level]
        }
    }

    /// The number of leaves whose complete subtrees are all on file.
    var size: TreeSize {
        levels.withLock { files in
            guard let leaves = files.first else { return TreeSize(rawValue: 0) }
            var size = leaves.byteCount / 32
            for (level, file) in files.enumerated() {
                let nodes = file.byteCount / 32
                // With n nodes at this level, fewer than (n + 1) << level leaves can be complete below.
                let bound = level < 63 ? ((nodes + 1) << UInt64(level)) - 1 : .max
                size = min(size, bound)
            }
            // A level file that should exist but does not bounds the size as well.
            if files.count < 64, size >> UInt64(files.count) > 0 {
                size = (1 << UInt64(files.count)) - 1
            }
            return TreeSize(rawValue: size)
        }
    }

    /// Buffers one node; nodes of a level arrive in order.
    private func append(level: Int, node: Digest32) throws {
        let file = try file(level)
        node.withUnsafeBytes { file.append($0) }
    }

    /// Adds a leaf to `frontier` and buffers every node that becomes complete with it.
    func append(_ leaf: Digest32, to frontier: inout MerkleFrontier) throws {
        var failure: (any Error)?
        frontier.append(leaf) { level, _, node in
            do { try append(level: level, node: node) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    func flush() throws {
        for file in levels.withLock({ $0 }) { try file.flush() }
    }

    func sync() throws {
        for file in levels.withLock({ $0 }) { try file.sync() }
    }

    /// Cuts every level back to the complete subtrees of `size` leaves.
    func truncate(to size: TreeSize) throws {
        for (level, file) in levels.withLock({ $0 }).enumerated() {
            try file.truncate(to: (size.rawValue >> UInt64(level)) * 32)
        }
    }

    /// A complete subtree's root. Error: `corrupt` when it is not on file.
    func node(_ level: Int, _ index: UInt64) throws -> Digest32 {
        guard let bytes = try file(level).read(at: index * 32, count: 32), let digest = Digest32(bytes) else {
            throw LedgerError(.corrupt, "Merkle node \(index) of level \(level) is missing from the derived index")
        }
        return digest
    }

    /// Puts a node right that is on file already.
    func overwrite(_ level: Int, _ index: UInt64, _ node: Digest32) throws {
        let file = try file(level)
        try node.withUnsafeBytes { try file.overwrite($0, at: index * 32) }
    }

    /// The frontier of the first `size` leaves, read from the files.
    func frontier(of size: TreeSize) throws -> MerkleFrontier? {
        var subtrees: [Digest32] = []
        var start: UInt64 = 0
        for level in stride(from: 63, through: 0, by: -1) where size.rawValue & (1 << UInt64(level)) != 0 {
            subtrees.append(try node(level, start >> UInt64(level)))
            start += 1 << UInt64(level)
        }
        return MerkleFrontier(size: size, subtrees: subtrees)
    }
}
