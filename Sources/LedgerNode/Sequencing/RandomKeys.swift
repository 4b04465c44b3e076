/// Secret keys for the entries of one batch, fetched from the system together.
struct RandomKeys {
    static let byteCount = 32

    private var bytes: [UInt8]
    private var offset = 0

    init(count: Int) {
        bytes = [UInt8](repeating: 0, count: max(count, 1) * Self.byteCount)
        fill()
    }

    private mutating func fill() {
        bytes.withUnsafeMutableBytes { SystemCalls.fillRandomly($0) }
        offset = 0
    }

    mutating func next() -> [UInt8] {
        if offset == bytes.count { fill() }
        defer { offset += Self.byteCount }
        return Array(bytes[offset..<offset + Self.byteCount])
    }
}
