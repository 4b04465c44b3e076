#if !canImport(Darwin)
    import CLedgerEC

    /// One of NIST's curves with the multiples of its generator, for checking many signatures of one key.
    ///
    /// Unchecked, because nothing changes after `init` and BoringSSL only reads what it holds.
    final class CurveArithmetic: @unchecked Sendable {
        static let p256 = CurveArithmetic(nid: 415, byteCount: 32, multiplication: ledger_p256_multiplication())
        static let p384 = CurveArithmetic(nid: 715, byteCount: 48)

        /// Of the order and of the field, and so of each half of a signature.
        private let byteCount: Int
        private let group: OpaquePointer
        private let order: PrimeModulus
        private let field: PrimeModulus
        private let generator: PointMultiples

        /// Lives as long as the process. `nil` without memory.
        private init?(nid: Int32, byteCount: Int, multiplication: ledger_multiplication? = nil) {
            guard let group = CCryptoBoringSSL_EC_GROUP_new_by_curve_name(nid),
                let orderNumber = CCryptoBoringSSL_EC_GROUP_get0_order(group),
                let order = PrimeModulus(orderNumber, byteCount: byteCount),
                let fieldNumber = CCryptoBoringSSL_BN_new(), let a = CCryptoBoringSSL_BN_new(),
                let b = CCryptoBoringSSL_BN_new(),
                CCryptoBoringSSL_EC_GROUP_get_curve_GFp(group, fieldNumber, a, b, nil) == 1,
                let field = PrimeModulus(fieldNumber, byteCount: byteCount, special: multiplication),
                let point = CCryptoBoringSSL_EC_GROUP_get0_generator(group),
                let generator = PointMultiples(of: point, group: group, field: field, byteCount: byteCount)
            else { return nil }
            for number in [fieldNumber, a, b] { CCryptoBoringSSL_BN_free(number) }
            self.byteCount = byteCount
            self.group = group
            self.order = order
            self.field = field
            self.generator = generator
        }

        /// The multiples of a public key, given as an uncompressed point (SEC 1, 2.3.3). `nil` when it is none of this
        /// curve, and without memory.
        func multiples(of publicKey: UnsafeRawBufferPointer) -> PointMultiples? {
            guard let point = CCryptoBoringSSL_EC_POINT_new(group) else { return nil }
            defer { CCryptoBoringSSL_EC_POINT_free(point) }
            let isPoint = CCryptoBoringSSL_EC_POINT_oct2point(
                group, point, publicKey.bindMemory(to: UInt8.self).baseAddress, publicKey.count, nil)
            guard isPoint == 1 else { return nil }
            return PointMultiples(of: point, group: group, field: field, byteCount: byteCount)
        }

        /// Which of `claims` are signatures of the key that `key` holds the multiples of (FIPS 186-5, 6.4.2). `false`
        /// also for what is not decided here: digests that are as a number not below the order, points whose x is not,
        /// and sums in which equal or opposite points meet. None of that happens to honest signatures but by a chance
        /// of one in 2³².
        func confirm(_ claims: [SignatureClaim], key: PointMultiples) -> [Bool] {
            var confirmed = [Bool](repeating: false, count: claims.count)
            let width = order.width
            let numbers = UnsafeMutablePointer<UInt64>.allocate(capacity: 4 * claims.count * width)
            defer { numbers.deallocate() }
            let r = numbers
            let z = r + claims.count * width
            let s = z + claims.count * width
            let products = s + claims.count * width
            // Those that go on, in the order of their numbers.
            var taken: [Int] = []
            for (i, claim) in claims.enumerated() {
                let place = taken.count * width
                guard claim.raw.count == 2 * byteCount, claim.digest.count <= byteCount else { continue }
                read(claim.raw[..<byteCount], into: r + place)
                read(claim.raw[byteCount...], into: s + place)
                read(claim.digest[...], into: z + place)
                // What has no inverse must not get into the product of all.
                guard order.isFactor(r + place), order.isFactor(s + place), order.isBelowPrime(z + place) else {
                    continue
                }
                order.toMontgomery(s + place)
                taken.append(i)
            }
            order.invert(s, count: taken.count, products: products)

            let perSum = 2 * (byteCount + 1)
            let points = UnsafeMutablePointer<UInt64>.allocate(capacity: max(1, taken.count) * perSum * 2 * width)
            defer { points.deallocate() }
            let sums = PointSums(field: field, capacity: max(1, taken.count) * perSum / 2)
            defer { sums.deallocate() }
            let factor = products
            let factorBytes = UnsafeRawBufferPointer(start: factor, count: byteCount)
            var counts: [Int] = []
            for i in taken.indices {
                let first = points + i * perSum * 2 * width
                let inverse = s + i * width
                order.multiply(factor, z + i * width, inverse)
                var count = generator.collect(factorBytes, into: first, sums)
                order.multiply(factor, r + i * width, inverse)
                count += key.collect(factorBytes, into: first + count * 2 * width, sums)
                counts.append(count)
            }
            sums.reduce(points, &counts, stride: perSum)
            for (i, claim) in taken.enumerated() where counts[i] == 1 {
                let x = points + i * perSum * 2 * width
                field.fromMontgomery(x)
                confirmed[claim] = (0..<width).allSatisfy { x[$0] == r[i * width + $0] }
            }
            return confirmed
        }

        /// A number of at most `byteCount` bytes, the highest first.
        private func read(_ bytes: ArraySlice<UInt8>, into words: UnsafeMutablePointer<UInt64>) {
            words.update(repeating: 0, count: byteCount / 8)
            for (i, byte) in bytes.reversed().enumerated() { words[i / 8] |= UInt64(byte) << UInt64(8 * (i % 8)) }
        }
    }
#endif
