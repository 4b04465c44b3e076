#if !canImport(Darwin)
    import CLedgerEC

    /// Arithmetic modulo a prime of a curve, by BoringSSL. Numbers are `width` words, the lowest first, below the prime;
    /// most of them in Montgomery's form. Takes time that depends on nothing secret: for public values only.
    ///
    /// Unchecked, because nothing changes after `init`. Lives as long as the process.
    struct PrimeModulus: @unchecked Sendable {
        /// Words of a number.
        let width: Int
        private let context: OpaquePointer
        private let prime: UnsafeMutablePointer<UInt64>
        /// A multiplication for this prime only.
        private let special: ledger_multiplication?
        /// 1 in Montgomery's form.
        let one: UnsafePointer<UInt64>

        /// `nil` without memory, and on machines that have no words of 64 bits.
        init?(_ prime: OpaquePointer, byteCount: Int, special: ledger_multiplication? = nil) {
            guard Int.bitWidth == 64, byteCount % 8 == 0,
                let context = CCryptoBoringSSL_BN_MONT_CTX_new_for_modulus(prime, nil)
            else { return nil }
            width = byteCount / 8
            self.context = context
            self.special = special
            self.prime = .allocate(capacity: width)
            let one = UnsafeMutablePointer<UInt64>.allocate(capacity: width)
            self.one = UnsafePointer(one)
            guard Self.read(prime, into: self.prime, width: width) else { return nil }
            one.initialize(repeating: 0, count: width)
            one[0] = 1
            toMontgomery(one)
        }

        /// The words of `number`. `false` when it needs more.
        static func read(_ number: OpaquePointer, into words: UnsafeMutablePointer<UInt64>, width: Int) -> Bool {
            CCryptoBoringSSL_BN_bn2le_padded(
                UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt8.self), width * 8, number) == 1
        }

        /// Whether `number` lies between 1 and the prime, less one.
        func isFactor(_ number: UnsafePointer<UInt64>) -> Bool { !isZero(number) && isBelowPrime(number) }

        func isBelowPrime(_ number: UnsafePointer<UInt64>) -> Bool {
            CCryptoBoringSSL_bn_less_than_words(number, prime, width) == 1
        }

        @inline(__always)
        func isZero(_ number: UnsafePointer<UInt64>) -> Bool {
            var bits: UInt64 = 0
            for i in 0..<width { bits |= number[i] }
            return bits == 0
        }

        func toMontgomery(_ number: UnsafeMutablePointer<UInt64>) {
            CCryptoBoringSSL_bn_to_montgomery_small(number, number, width, context)
        }

        func fromMontgomery(_ number: UnsafeMutablePointer<UInt64>) {
            CCryptoBoringSSL_bn_from_montgomery_small(number, width, number, width, context)
        }

        /// The product of two numbers in Montgomery's form, or, as it stands, of one in that form and one that is not.
        @inline(__always)
        func multiply(
            _ product: UnsafeMutablePointer<UInt64>, _ a: UnsafePointer<UInt64>, _ b: UnsafePointer<UInt64>
        ) {
            if let special {
                special(product, a, b)
            } else {
                CCryptoBoringSSL_bn_mod_mul_montgomery_small(product, a, b, width, context)
            }
        }

        /// `scratch` holds `width` words.
        @inline(__always)
        func subtract(
            _ difference: UnsafeMutablePointer<UInt64>, _ a: UnsafePointer<UInt64>, _ b: UnsafePointer<UInt64>,
            scratch: UnsafeMutablePointer<UInt64>
        ) {
            CCryptoBoringSSL_bn_mod_sub_words(difference, a, b, prime, scratch, width)
        }

        /// Inverts `count` numbers in Montgomery's form, none of them zero, in place and with one inversion.
        /// `products` holds as many words as they do.
        func invert(
            _ numbers: UnsafeMutablePointer<UInt64>, count: Int, products: UnsafeMutablePointer<UInt64>
        ) {
            guard count > 0 else { return }
            products.update(from: numbers, count: width)
            for i in 1..<count {
                multiply(products + i * width, products + (i - 1) * width, numbers + i * width)
            }
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * width) { scratch in
                guard let inverse = scratch.baseAddress else { return }
                let rest = inverse + width
                // Of the product of the numbers up to `i`.
                CCryptoBoringSSL_bn_mod_inverse0_prime_mont_small(
                    rest, products + (count - 1) * width, width, context)
                for i in (1..<count).reversed() {
                    multiply(inverse, rest, products + (i - 1) * width)
                    multiply(rest, rest, numbers + i * width)
                    (numbers + i * width).update(from: inverse, count: width)
                }
                numbers.update(from: rest, count: width)
            }
        }
    }
#endif
