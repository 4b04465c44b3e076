import Foundation

/// Secret keys for the entries of one batch, fetched from the system in one call.
struct RandomKeys {
    static let byteCount = 32

    private var bytes: [UInt8]
    private var offset = 0

    init(count: Int) {
        bytes = [UInt8](repeating: 0, count: max(count, 1) * Self.byteCount)
        fill()
    }

    private mutating func fill() {
        bytes.withUnsafeMutableBytes { buffer in
            var done = 0
            while done < buffer.count {
                let n = getrandom(buffer.baseAddress.map { $0 + done }, buffer.count - done, 0)
                precondition(n > 0 || errno == EINTR, "the system's random source failed")
                done += max(n, 0)
            }
        }
        offset = 0
    }

    mutating func next() -> [UInt8] {
        if offset == bytes.count { fill() }
        defer { offset += Self.byteCount }
        return Array(bytes[offset..<offset + Self.byteCount])
    }
}
