import Foundation
import Synchronization

@testable import LedgerNode

/// A disk that fails exactly one step: before doing it (the step is lost), or after doing it (the step happened, but
/// the caller is told that it failed).
final class FaultyDisk: Disk {
    enum Mode: String, CaseIterable, Sendable {
        case lost
        case performedButReportedLost
    }

    private struct State {
        var steps = 0
        var failed: String?
    }

    private let real = PosixDisk()
    private let failingStep: Int
    private let mode: Mode
    private let code: Int32
    private let state = Mutex(State())

    init(failingStep: Int, mode: Mode, code: Int32 = EIO) {
        self.failingStep = failingStep
        self.mode = mode
        self.code = code
    }

    var stepCount: Int { state.withLock { $0.steps } }
    /// The operation that failed, if its turn came.
    var failed: String? { state.withLock { $0.failed } }

    private func step<R>(_ operation: String, _ body: () throws(DiskError) -> R) throws(DiskError) -> R {
        let fails = state.withLock { state in
            defer { state.steps += 1 }
            guard state.steps == failingStep else { return false }
            state.failed = operation
            return true
        }
        if fails, mode == .lost { throw DiskError(operation: operation, path: "faulty", code: code) }
        let result = try body()
        if fails { throw DiskError(operation: operation, path: "faulty", code: code) }
        return result
    }

    func open(_ path: String, create: Bool) throws(DiskError) -> Int32 {
        try step("open") { () throws(DiskError) in try real.open(path, create: create) }
    }

    func close(_ descriptor: Int32) { real.close(descriptor) }

    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        try step("write") { () throws(DiskError) in try real.write(descriptor, bytes, at: offset) }
    }

    func sync(_ descriptor: Int32) throws(DiskError) {
        try step("sync") { () throws(DiskError) in try real.sync(descriptor) }
    }

    func truncate(_ descriptor: Int32, to byteCount: UInt64) throws(DiskError) {
        try step("truncate") { () throws(DiskError) in try real.truncate(descriptor, to: byteCount) }
    }

    func rename(_ from: String, to: String) throws(DiskError) {
        try step("rename") { () throws(DiskError) in try real.rename(from, to: to) }
    }

    func syncDirectory(_ path: String) throws(DiskError) {
        try step("syncDirectory") { () throws(DiskError) in try real.syncDirectory(path) }
    }
}
