#if !canImport(Darwin)
    import CLedgerEC

    /// Multiples of one point of a curve, so that any multiple is a sum of a few of them: for the byte at place `i` of
    /// a factor, the table holds 1, 2, … 128 times `2^(8·i)` times the point. 1 MB for P-256, 1.5 MB for P-384.
    ///
    /// Takes time that depends on the factors: for public values only.
    ///
    /// Unchecked, because nothing changes the points after `init` and BoringSSL only reads them.
    final class PointMultiples: @unchecked Sendable {
        private static let perPlace = 128

        private let group: OpaquePointer
        private var points: [OpaquePointer] = []

        /// The multiples of `point` by factors of `byteCount` bytes. `nil` without memory.
        init?(of point: OpaquePointer, group: OpaquePointer, byteCount: Int) {
            self.group = group
            guard let unit = CCryptoBoringSSL_EC_POINT_new(group) else { return nil }
            defer { CCryptoBoringSSL_EC_POINT_free(unit) }
            guard CCryptoBoringSSL_EC_POINT_copy(unit, point) == 1 else { return nil }
            points.reserveCapacity(byteCount * Self.perPlace + 1)
            // The place behind the last byte takes its carry.
            for place in 0...byteCount {
                for i in 0..<(place == byteCount ? 1 : Self.perPlace) {
                    guard let next = CCryptoBoringSSL_EC_POINT_new(group) else { return nil }
                    points.append(next)
                    let isMade =
                        i == 0
                        ? CCryptoBoringSSL_EC_POINT_copy(next, unit)
                        : CCryptoBoringSSL_EC_POINT_add(group, next, points[points.count - 2], unit, nil)
                    guard isMade == 1 else { return nil }
                }
                guard CCryptoBoringSSL_EC_POINT_dbl(group, unit, points[points.count - 1], nil) == 1 else { return nil }
            }
        }

        deinit {
            for point in points { CCryptoBoringSSL_EC_POINT_free(point) }
        }

        /// Adds `factor` (little endian, as many bytes as given to `init`) times the point to `plus - minus`. Returns
        /// whether that was possible.
        func add(_ factor: UnsafeRawBufferPointer, to plus: OpaquePointer, minus: OpaquePointer) -> Bool {
            var carry = 0
            var isFine = true
            for place in 0...factor.count {
                var digit = (place < factor.count ? Int(factor[place]) : 0) + carry
                // Digits from -127 to 128 need half the table.
                carry = digit > Self.perPlace ? 1 : 0
                digit -= carry << 8
                guard digit != 0 else { continue }
                let entry = points[place * Self.perPlace + abs(digit) - 1]
                let sum = digit > 0 ? plus : minus
                isFine = isFine && CCryptoBoringSSL_EC_POINT_add(group, sum, sum, entry, nil) == 1
            }
            return isFine
        }
    }
#endif
