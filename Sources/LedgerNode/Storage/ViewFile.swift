import Foundation
import LedgerProofs
import Synchronization

/// The highest view this directory ever wrote in, stored before the first write of that view.
///
/// Every start and every batch that had to be taken back moves to a new view. Otherwise a transaction id, and with
/// it an AES-GCM nonce, could be used twice for different bytes: once in a tail that was cut, once in what
/// replaced it. The file is overwritten in place and stays open, so neither a full disk nor too many open files prevent it.
final class ViewFile: Sendable {
    private static let byteCount = 32

    let path: String
    private let disk: any Disk
    private let held = Mutex<Int32?>(nil)

    init(path: String, disk: any Disk) {
        self.path = path
        self.disk = disk
    }

    deinit { held.withLock { if let descriptor = $0 { disk.close(descriptor) } } }

    /// `nil` when the file is missing or unreadable.
    func read() throws -> View? {
        guard let bytes = try DurableFile.read(path, limit: 4096) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.hasPrefix("view "), let value = UInt32(text.dropFirst(5)), value < 1 << 31 else { return nil }
        return View(value)
    }

    /// Durable once this returns.
    func write(_ view: View) throws {
        var bytes = Array("view \(view)".utf8)
        bytes += [UInt8](repeating: UInt8(ascii: " "), count: Self.byteCount - 1 - bytes.count)
        bytes.append(UInt8(ascii: "\n"))
        try held.withLock { held in
            let descriptor = try held ?? disk.open(path, create: true)
            held = descriptor
            try disk.write(descriptor, bytes, at: 0)
            try disk.sync(descriptor)
        }
    }
}
