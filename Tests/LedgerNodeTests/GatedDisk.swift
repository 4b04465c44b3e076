import Foundation
import Synchronization

@testable import LedgerNode

/// A disk that can be told to hold one step back until it is let go, and then to fail it or do it, so that a test decides
/// what happens meanwhile.
final class GatedDisk: Disk, @unchecked Sendable {
    enum Step: Sendable {
        /// Not done if it fails.
        case write
        /// Done, but reported as failed if it fails.
        case sync
    }

    private let real = PosixDisk()
    // Guarded by `condition`'s lock.
    private let condition = NSCondition()
    private var armed: Step?
    private var fails = true
    private var isHeld = false
    private var isReleased = false

    /// The next such step is held back, and then fails or not.
    func arm(_ step: Step, fails: Bool = true) {
        condition.lock()
        defer { condition.unlock() }
        (armed, self.fails, isHeld, isReleased) = (step, fails, false, false)
    }

    /// The step that was to fail has not come yet.
    var isArmed: Bool {
        condition.lock()
        defer { condition.unlock() }
        return armed != nil
    }

    func disarm() {
        condition.lock()
        defer { condition.unlock() }
        armed = nil
    }

    /// A step is being held back.
    var holds: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isHeld
    }

    func release() {
        condition.lock()
        defer { condition.unlock() }
        isReleased = true
        condition.broadcast()
    }

    /// Returns `true` when the step is to fail.
    private func hold(_ step: Step) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard armed == step else { return false }
        armed = nil
        isHeld = true
        while !isReleased { condition.wait() }
        isHeld = false
        return fails
    }

    func open(_ path: String, create: Bool) throws(DiskError) -> Int32 { try real.open(path, create: create) }
    func close(_ descriptor: Int32) { real.close(descriptor) }

    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        if hold(.write) { throw DiskError(operation: "write", path: "gated", code: ENOSPC) }
        try real.write(descriptor, bytes, at: offset)
    }

    func sync(_ descriptor: Int32) throws(DiskError) {
        try real.sync(descriptor)
        if hold(.sync) { throw DiskError(operation: "sync", path: "gated", code: EIO) }
    }

    func truncate(_ descriptor: Int32, to byteCount: UInt64) throws(DiskError) {
        try real.truncate(descriptor, to: byteCount)
    }
    func rename(_ from: String, to: String) throws(DiskError) { try real.rename(from, to: to) }
    func syncDirectory(_ path: String) throws(DiskError) { try real.syncDirectory(path) }
}
