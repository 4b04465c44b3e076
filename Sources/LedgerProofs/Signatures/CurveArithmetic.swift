#if !canImport(Darwin)
    import CLedgerEC

    /// One of NIST's curves with the multiples of its generator, for checking many signatures of one key.
    ///
    /// Unchecked, because nothing changes after `init` and BoringSSL only reads what it holds.
    final class CurveArithmetic: @unchecked Sendable {
        static let p256 = CurveArithmetic(nid: 415, byteCount: 32)
        static let p384 = CurveArithmetic(nid: 715, byteCount: 48)

        /// Of the order, and so of each half of a signature.
        let byteCount: Int
        private let group: OpaquePointer
        private let order: OpaquePointer
        private let montgomery: OpaquePointer
        private let generator: PointMultiples

        /// Lives as long as the process. `nil` without memory.
        private init?(nid: Int32, byteCount: Int) {
            guard let group = CCryptoBoringSSL_EC_GROUP_new_by_curve_name(nid),
                let order = CCryptoBoringSSL_EC_GROUP_get0_order(group),
                let montgomery = CCryptoBoringSSL_BN_MONT_CTX_new_for_modulus(order, nil),
                let point = CCryptoBoringSSL_EC_GROUP_get0_generator(group),
                let generator = PointMultiples(of: point, group: group, byteCount: byteCount)
            else { return nil }
            self.byteCount = byteCount
            self.group = group
            self.order = order
            self.montgomery = montgomery
            self.generator = generator
        }

        /// The multiples of a public key, given as an uncompressed point (SEC 1, 2.3.3). `nil` when it is none of this
        /// curve, and without memory.
        func multiples(of publicKey: UnsafeRawBufferPointer) -> PointMultiples? {
            guard let point = CCryptoBoringSSL_EC_POINT_new(group) else { return nil }
            defer { CCryptoBoringSSL_EC_POINT_free(point) }
            let isPoint = CCryptoBoringSSL_EC_POINT_oct2point(
                group, point, publicKey.bindMemory(to: UInt8.self).baseAddress, publicKey.count, nil)
            return isPoint == 1 ? PointMultiples(of: point, group: group, byteCount: byteCount) : nil
        }

        /// Whether `r ‖ s` signs `digest` under the key that `key` holds the multiples of (FIPS 186-5, 6.4.2). Digests
        /// longer than the order are not taken: `false`, as for everything that is not known to be a signature.
        func isSignature(
            _ signature: UnsafeRawBufferPointer, of digest: UnsafeRawBufferPointer, key: PointMultiples
        ) -> Bool {
            guard signature.count == 2 * byteCount, digest.count <= byteCount,
                let context = CCryptoBoringSSL_BN_CTX_new()
            else { return false }
            CCryptoBoringSSL_BN_CTX_start(context)
            defer {
                CCryptoBoringSSL_BN_CTX_end(context)
                CCryptoBoringSSL_BN_CTX_free(context)
            }
            func number(_ bytes: UnsafeRawBufferPointer) -> OpaquePointer? {
                CCryptoBoringSSL_BN_CTX_get(context).flatMap {
                    CCryptoBoringSSL_BN_bin2bn(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, $0)
                }
            }
            guard let r = number(.init(rebasing: signature[..<byteCount])),
                let s = number(.init(rebasing: signature[byteCount...])),
                isFactor(r), isFactor(s), let z = number(digest),
                let inverse = CCryptoBoringSSL_BN_CTX_get(context), let x = CCryptoBoringSSL_BN_CTX_get(context),
                let sum = CCryptoBoringSSL_EC_POINT_new(group)
            else { return false }
            defer { CCryptoBoringSSL_EC_POINT_free(sum) }
            // What is to be subtracted is summed up by itself and turned round at the end.
            guard let minus = CCryptoBoringSSL_EC_POINT_new(group) else { return false }
            defer { CCryptoBoringSSL_EC_POINT_free(minus) }

            // With 1/s in Montgomery's form, a product with an ordinary number is an ordinary number again.
            var hasNone: Int32 = 0
            guard CCryptoBoringSSL_BN_mod_inverse_odd(inverse, &hasNone, s, order, context) == 1,
                CCryptoBoringSSL_BN_to_montgomery(inverse, inverse, montgomery, context) == 1,
                CCryptoBoringSSL_BN_nnmod(z, z, order, context) == 1,
                CCryptoBoringSSL_EC_POINT_set_to_infinity(group, sum) == 1,
                CCryptoBoringSSL_EC_POINT_set_to_infinity(group, minus) == 1
            else { return false }
            let isSummed = withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 8) { factor in
                func add(_ value: OpaquePointer, times multiples: PointMultiples) -> Bool {
                    CCryptoBoringSSL_BN_mod_mul_montgomery(x, value, inverse, montgomery, context) == 1
                        && CCryptoBoringSSL_BN_bn2le_padded(
                            factor.bindMemory(to: UInt8.self).baseAddress, byteCount, x) == 1
                        && multiples.add(UnsafeRawBufferPointer(factor), to: sum, minus: minus)
                }
                return add(z, times: generator) && add(r, times: key)
            }
            guard isSummed, CCryptoBoringSSL_EC_POINT_invert(group, minus, nil) == 1,
                CCryptoBoringSSL_EC_POINT_add(group, sum, sum, minus, nil) == 1,
                CCryptoBoringSSL_EC_POINT_is_at_infinity(group, sum) == 0,
                CCryptoBoringSSL_EC_POINT_get_affine_coordinates_GFp(group, sum, x, nil, context) == 1,
                CCryptoBoringSSL_BN_nnmod(x, x, order, context) == 1
            else { return false }
            return CCryptoBoringSSL_BN_ucmp(x, r) == 0
        }

        /// Whether `number` lies between 1 and the order, less one.
        private func isFactor(_ number: OpaquePointer) -> Bool {
            CCryptoBoringSSL_BN_is_zero(number) == 0 && CCryptoBoringSSL_BN_ucmp(number, order) < 0
        }
    }
#endif
