import Foundation

@testable import LedgerNode

/// A disk that takes its time to make a write durable, so that a batch takes about as long on every machine.
struct SlowDisk: Disk {
    private let real = PosixDisk()
    /// Seconds for each `sync`, beside the disk's own.
    let delay: TimeInterval

    func open(_ path: String, create: Bool) throws(DiskError) -> Int32 { try real.open(path, create: create) }
    func close(_ descriptor: Int32) { real.close(descriptor) }

    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        try real.write(descriptor, bytes, at: offset)
    }

    func sync(_ descriptor: Int32) throws(DiskError) {
        Thread.sleep(forTimeInterval: delay)
        try real.sync(descriptor)
    }

    func truncate(_ descriptor: Int32, to byteCount: UInt64) throws(DiskError) {
        try real.truncate(descriptor, to: byteCount)
    }
    func rename(_ from: String, to: String) throws(DiskError) { try real.rename(from, to: to) }
    func syncDirectory(_ path: String) throws(DiskError) { try real.syncDirectory(path) }
}
