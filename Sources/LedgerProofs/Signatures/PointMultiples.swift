#if !canImport(Darwin)
    import CLedgerEC

    /// Multiples of one point of a curve, so that any multiple is a sum of a few of them: for the byte at place `i` of
    /// a factor, the table holds 1, 2, … 128 times `2^(8·i)` times the point. 0.3 MB for P-256, 0.6 MB for P-384.
    ///
    /// Takes time that depends on the factors: for public values only.
    ///
    /// Unchecked, because nothing changes the table after `init`.
    final class PointMultiples: @unchecked Sendable {
        private static let perPlace = 128

        private let byteCount: Int
        /// Words of a point.
        private let width: Int
        private let table: UnsafeMutablePointer<UInt64>

        /// The multiples of `point` by factors of `byteCount` bytes. `nil` without memory, and for points of small order.
        init?(of point: OpaquePointer, group: OpaquePointer, field: PrimeModulus, byteCount: Int) {
            self.byteCount = byteCount
            width = 2 * field.width
            table = .allocate(capacity: (byteCount * Self.perPlace + 1) * width)
            guard makeFirst(of: point, group: group, field: field), makeOthers(field) else { return nil }
        }

        deinit { table.deallocate() }

        private func entry(_ place: Int, _ multiple: Int) -> UnsafeMutablePointer<UInt64> {
            table + (place * Self.perPlace + multiple - 1) * width
        }

        /// The point times `2^(8·i)` for every place. The place behind the last byte takes its carry.
        private func makeFirst(of point: OpaquePointer, group: OpaquePointer, field: PrimeModulus) -> Bool {
            guard let unit = CCryptoBoringSSL_EC_POINT_new(group) else { return false }
            defer { CCryptoBoringSSL_EC_POINT_free(unit) }
            guard let x = CCryptoBoringSSL_BN_new() else { return false }
            defer { CCryptoBoringSSL_BN_free(x) }
            guard let y = CCryptoBoringSSL_BN_new() else { return false }
            defer { CCryptoBoringSSL_BN_free(y) }
            guard CCryptoBoringSSL_EC_POINT_copy(unit, point) == 1 else { return false }
            for place in 0...byteCount {
                let first = entry(place, 1)
                guard CCryptoBoringSSL_EC_POINT_get_affine_coordinates_GFp(group, unit, x, y, nil) == 1,
                    PrimeModulus.read(x, into: first, width: field.width),
                    PrimeModulus.read(y, into: first + field.width, width: field.width)
                else { return false }
                field.toMontgomery(first)
                field.toMontgomery(first + field.width)
                for _ in 0..<8 where CCryptoBoringSSL_EC_POINT_dbl(group, unit, unit, nil) != 1 { return false }
            }
            return true
        }

        private func makeOthers(_ field: PrimeModulus) -> Bool {
            let sums = PointSums(field: field, capacity: byteCount * Self.perPlace / 2)
            defer { sums.deallocate() }
            let scratch = UnsafeMutablePointer<UInt64>.allocate(capacity: byteCount * width)
            defer { scratch.deallocate() }
            // Twice a point without doubling it: (p + q) + (p - q), with q the point of the next place.
            for place in 0..<byteCount { sums.negate(scratch + place * width, entry(place + 1, 1)) }
            func add(_ pairs: [PointSums.Pair]) -> Bool { sums.add(pairs).isEmpty }
            let places = 0..<byteCount
            guard
                add(places.map { .init(a: entry($0, 1), b: scratch + $0 * width, sum: scratch + $0 * width) }),
                add(places.map { .init(a: entry($0, 1), b: entry($0 + 1, 1), sum: entry($0, 2)) }),
                add(places.map { .init(a: entry($0, 2), b: scratch + $0 * width, sum: entry($0, 2)) })
            else { return false }
            var known = 2
            while known < Self.perPlace {
                // The sum of equal points is none here, so the multiples do not quite double.
                let next = min(2 * known - 1, Self.perPlace)
                let pairs = places.flatMap { place in
                    (known + 1...next).map { multiple in
                        PointSums.Pair(
                            a: entry(place, known), b: entry(place, multiple - known), sum: entry(place, multiple))
                    }
                }
                guard add(pairs) else { return false }
                known = next
            }
            return true
        }

        /// The points whose sum is `factor` times the point, `byteCount` bytes and little endian, are written from
        /// `points` on, at most `byteCount + 1` of them. Returns how many there are.
        func collect(
            _ factor: UnsafeRawBufferPointer, into points: UnsafeMutablePointer<UInt64>, _ sums: PointSums
        ) -> Int {
            var count = 0
            var carry = 0
            for place in 0...byteCount {
                var digit = (place < byteCount ? Int(factor[place]) : 0) + carry
                // Digits from -127 to 128 need half the table.
                carry = digit > Self.perPlace ? 1 : 0
                digit -= carry << 8
                guard digit != 0 else { continue }
                let point = points + count * width
                if digit > 0 {
                    point.update(from: entry(place, digit), count: width)
                } else {
                    sums.negate(point, entry(place, -digit))
                }
                count += 1
            }
            return count
        }
    }
#endif
