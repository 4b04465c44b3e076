import Crypto
import Foundation
import LedgerProofs
import Testing

/// The multiples of a key must say what swift-crypto says, and nothing but a signature is confirmed.
@Suite struct RecurringKeyTests {
    /// A digest of any length and content.
    struct AnyDigest: Digest {
        var bytes: [UInt8]
        static let byteCount = 0
        func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
            try bytes.withUnsafeBytes(body)
        }
        func makeIterator() -> Array<UInt8>.Iterator { bytes.makeIterator() }
        var description: String { "\(bytes)" }
    }

    static let order256 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
    static let order384 =
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"

    static func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).map { i in
            let start = hex.index(hex.startIndex, offsetBy: i)
            return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)!
        }
    }

    static func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255) } }

    /// A key that has its multiples.
    static func warm(_ key: SigningPublicKey) -> RecurringKey {
        let key = RecurringKey(key)
        for _ in 0...key.usesBeforeMultiples { #expect(!confirms(key, [], [])) }
        return key
    }

    static func confirms(_ key: RecurringKey, _ raw: [UInt8], _ digest: [UInt8]) -> Bool {
        raw.withUnsafeBytes { key.confirms(raw: $0, digest: AnyDigest(bytes: digest)) }
    }

    /// Digests that are short, zero, beyond the order and arbitrary.
    static func digests(_ count: Int) -> [[UInt8]] {
        [[], [1], [UInt8](repeating: 0, count: count), [UInt8](repeating: 255, count: count)]
            + (0..<60).map { _ in random(count) } + (0..<20).map { _ in random(32) }
    }

    /// Private keys 1 and -1 make the tables of key and generator meet in the same or opposite points.
    static func privateKeys(order: String) -> [[UInt8]] {
        let order = bytes(order)
        var one = [UInt8](repeating: 0, count: order.count)
        one[order.count - 1] = 1
        var minusOne = order
        minusOne[order.count - 1] -= 1
        return [one, minusOne]
    }

    @Test func p256SaysWhatTheLibrarySays() throws {
        var keys = try Self.privateKeys(order: Self.order256).map { try P256.Signing.PrivateKey(rawRepresentation: $0) }
        keys += (0..<3).map { _ in P256.Signing.PrivateKey() }
        for key in keys {
            let recurring = Self.warm(.p256(key.publicKey))
            for digest in Self.digests(32) {
                let raw = Array(try key.signature(for: AnyDigest(bytes: digest)).rawRepresentation)
                #expect(Self.confirms(recurring, raw, digest))
                Self.refusesNeighbours(recurring, raw, digest, order: Self.bytes(Self.order256)) { raw, digest in
                    (try? key.publicKey.isValidSignature(
                        .init(rawRepresentation: raw), for: AnyDigest(bytes: digest))) ?? false
                }
            }
        }
    }

    @Test func p384SaysWhatTheLibrarySays() throws {
        var keys = try Self.privateKeys(order: Self.order384).map { try P384.Signing.PrivateKey(rawRepresentation: $0) }
        keys.append(P384.Signing.PrivateKey())
        for key in keys {
            let recurring = Self.warm(.p384(key.publicKey))
            for digest in Self.digests(48) {
                let raw = Array(try key.signature(for: AnyDigest(bytes: digest)).rawRepresentation)
                #expect(Self.confirms(recurring, raw, digest))
                Self.refusesNeighbours(recurring, raw, digest, order: Self.bytes(Self.order384)) { raw, digest in
                    (try? key.publicKey.isValidSignature(
                        .init(rawRepresentation: raw), for: AnyDigest(bytes: digest))) ?? false
                }
            }
        }
    }

    /// Everything next to a signature gets the answer of the library.
    static func refusesNeighbours(
        _ key: RecurringKey, _ raw: [UInt8], _ digest: [UInt8], order: [UInt8],
        library: ([UInt8], [UInt8]) -> Bool
    ) {
        let half = order.count
        let zero = [UInt8](repeating: 0, count: half)
        var flipped = raw
        flipped[Int.random(in: raw.indices)] ^= 1 << UInt8.random(in: 0..<8)
        let neighbours: [[UInt8]] = [
            flipped, Array(raw[half...] + raw[..<half]), zero + raw[half...], raw[..<half] + zero,
            order + raw[half...], raw[..<half] + order, [UInt8](repeating: 255, count: 2 * half), zero + zero,
            Array(raw.dropLast()), raw + [0], [],
        ]
        for neighbour in neighbours {
            #expect(!confirms(key, neighbour, digest))
            #expect(!library(neighbour, digest))
        }
        // The other s of the same r is a signature too.
        var negative = zero
        var borrow = 0
        for i in zero.indices.reversed() {
            let difference = Int(order[i]) - Int(raw[half + i]) - borrow
            borrow = difference < 0 ? 1 : 0
            negative[i] = UInt8(truncatingIfNeeded: difference)
        }
        #expect(confirms(key, raw[..<half] + negative, digest))
        var other = digest
        if !other.isEmpty {
            other[0] ^= 1
            #expect(confirms(key, raw, other) == library(raw, other))
        }
    }

    /// r is below the order, but the x of the point need not be: with u1·G = -u2·Q there is no point at all.
    @Test func noPointIsNoSignature() throws {
        // For the key 1, z = -r gives u1 + u2 = 0.
        let key = try P256.Signing.PrivateKey(rawRepresentation: Self.privateKeys(order: Self.order256)[0])
        let recurring = Self.warm(.p256(key.publicKey))
        var r = [UInt8](repeating: 0, count: 32)
        r[31] = 7
        var z = Self.bytes(Self.order256)
        z[31] -= 7
        let raw = r + Self.random(32).map { $0 & 0x7F }
        #expect(!Self.confirms(recurring, raw, z))
    }

    /// `bytes`, as a number, plus `count`.
    static func sum(_ bytes: [UInt8], _ count: [UInt8]) -> [UInt8] {
        var result = bytes
        var carry = 0
        for i in bytes.indices.reversed() {
            let digit = Int(bytes[i]) + Int(count[i]) + carry
            result[i] = UInt8(truncatingIfNeeded: digit)
            carry = digit >> 8
        }
        return result
    }

    /// Of the digest 0, `r = s = x` is a signature by the key whose point has that x, because then the sum is the key.
    /// With a small x, r and s plus the order fit as well and must be refused; with an x beyond the order, r is the rest.
    static func checkValuesNextToTheOrder(
        order: [UInt8], key: ([UInt8]) -> (SigningPublicKey, library: ([UInt8], [UInt8]) -> Bool)?
    ) {
        let zero = [UInt8](repeating: 0, count: order.count)
        var beyond = 0
        var small = 0
        for i in UInt8(1)...40 {
            let r = Array(zero.dropLast()) + [i]
            if let (publicKey, library) = key(r) {
                small += 1
                let key = warm(publicKey)
                #expect(confirms(key, r + r, zero) && library(r + r, zero))
                for wrong in [sum(order, r) + r, r + sum(order, r), sum(order, r) + sum(order, r)] {
                    #expect(!confirms(key, wrong, zero) && !library(wrong, zero))
                }
            }
            if let (publicKey, library) = key(sum(order, r)) {
                beyond += 1
                #expect(confirms(warm(publicKey), r + r, zero) && library(r + r, zero))
            }
        }
        #expect(small > 5 && beyond > 5)
    }

    @Test func valuesNextToTheOrderP256() {
        Self.checkValuesNextToTheOrder(order: Self.bytes(Self.order256)) { x in
            (try? P256.Signing.PublicKey(compressedRepresentation: [2] + x)).map { key in
                (
                    .p256(key),
                    { raw, digest in
                        (try? key.isValidSignature(.init(rawRepresentation: raw), for: AnyDigest(bytes: digest)))
                            ?? false
                    }
                )
            }
        }
    }

    @Test func valuesNextToTheOrderP384() {
        Self.checkValuesNextToTheOrder(order: Self.bytes(Self.order384)) { x in
            (try? P384.Signing.PublicKey(compressedRepresentation: [2] + x)).map { key in
                (
                    .p384(key),
                    { raw, digest in
                        (try? key.isValidSignature(.init(rawRepresentation: raw), for: AnyDigest(bytes: digest)))
                            ?? false
                    }
                )
            }
        }
    }

    @Test func digestsLongerThanTheOrderAreLeftToTheLibrary() throws {
        let key = P256.Signing.PrivateKey()
        let recurring = Self.warm(.p256(key.publicKey))
        let digest = Self.random(48)
        let raw = Array(try key.signature(for: AnyDigest(bytes: digest)).rawRepresentation)
        #expect(!Self.confirms(recurring, raw, digest))
    }

    /// Before and after the multiples are there, and for a curve that has none.
    @Test func verdictsDoNotDependOnTheNumberOfUses() throws {
        let p256 = P256.Signing.PrivateKey()
        let p384 = P384.Signing.PrivateKey()
        let p521 = P521.Signing.PrivateKey()
        let root = SHA256Hashing.digest(utf8: "root")
        let keys: [(SigningPublicKey, [UInt8])] = [
            (.p256(p256.publicKey), try RootSignature.sign(root: root, key: p256)),
            (.p384(p384.publicKey), try RootSignature.sign(root: root, key: p384)),
            (
                .p521(p521.publicKey),
                Array(try p521.signature(for: PrehashedSHA256(root)).derRepresentation)
            ),
        ]
        for (key, der) in keys {
            let recurring = RecurringKey(key)
            for _ in 0..<(recurring.usesBeforeMultiples + 10) {
                #expect(RootSignature.verify(der: der, root: root, publicKey: recurring) == .verified(root))
                let other = RootSignature.verify(der: der, root: .zero, publicKey: recurring)
                #expect(other.findings.map(\.code) == [.signatureInvalid])
                let broken = RootSignature.verify(der: der + [0], root: root, publicKey: recurring)
                #expect(
                    broken.findings.map(\.reason)
                        == ["the signature is not a DER ECDSA signature of the key's curve"])
            }
        }
    }

    @Test func threadsMayShareAKey() async throws {
        let key = P384.Signing.PrivateKey()
        let recurring = RecurringKey(.p384(key.publicKey))
        let root = SHA256Hashing.digest(utf8: "root")
        let der = try RootSignature.sign(root: root, key: key)
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<100).count { _ in
                        RootSignature.verify(der: der, root: root, publicKey: recurring).isVerified
                    }
                }
            }
            for await count in group { #expect(count == 100) }
        }
    }
}
