import Foundation

/// The few file operations whose order and durability the ledger depends on. One real implementation
/// (`PosixDisk`); tests wrap it to lose, or to perform and then report as lost, any single step.
protocol Disk: Sendable {
    /// Creates the file, or opens it when it exists, for reading and writing. Mode 0600.
    func open(_ path: String, create: Bool) throws(DiskError) -> Int32
    func close(_ descriptor: Int32)
    /// Writes all of `bytes` at `offset`, extending the file as needed. Not durable before `sync`.
    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError)
    /// Durable once this returns: contents and size.
    func sync(_ descriptor: Int32) throws(DiskError)
    func truncate(_ descriptor: Int32, to byteCount: UInt64) throws(DiskError)
    /// Atomic on one file system. Durable after `syncDirectory` of the parent.
    func rename(_ from: String, to: String) throws(DiskError)
    func syncDirectory(_ path: String) throws(DiskError)
}

extension Disk {
    func write(_ descriptor: Int32, _ bytes: [UInt8], at offset: UInt64) throws(DiskError) {
        let result = bytes.withUnsafeBytes { raw in
            Result<Void, DiskError> { () throws(DiskError) in try write(descriptor, raw, at: offset) }
        }
        try result.get()
    }
}
