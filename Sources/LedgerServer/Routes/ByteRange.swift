/// One `Range: bytes=…` request applied to a file (RFC 9110, 14.1.2). Inclusive, as the standard has it.
struct ByteRange: Hashable, Sendable {
    enum Outcome: Hashable, Sendable {
        /// No range was asked for, or one of another unit: send everything.
        case whole
        case part(ByteRange)
        /// Outside the file.
        case unsatisfiable
        /// Several ranges, or not of the form.
        case malformed
    }

    let first: UInt64
    let last: UInt64

    var count: UInt64 { last - first + 1 }

    static func parse(_ header: String?, fileByteCount size: UInt64) -> Outcome {
        guard let header else { return .whole }
        guard header.hasPrefix("bytes=") else { return .whole }
        let text = header.dropFirst("bytes=".count)
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ $0.utf8.count <= 19 && $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } })
        else { return .malformed }
        switch (UInt64(parts[0]), UInt64(parts[1])) {
        case (nil, nil): return .malformed
        case (nil, let suffix?):
            guard suffix > 0, size > 0 else { return .unsatisfiable }
            return .part(ByteRange(first: size - min(suffix, size), last: size - 1))
        case (let first?, let last):
            if let last, last < first { return .malformed }
            guard first < size else { return .unsatisfiable }
            return .part(ByteRange(first: first, last: min(last ?? size - 1, size - 1)))
        }
    }
}
