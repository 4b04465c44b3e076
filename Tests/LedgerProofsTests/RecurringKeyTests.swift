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
        let nothing = [SignatureClaim](
            repeating: SignatureClaim(raw: [], digest: []), count: key.usesBeforeMultiples + 1)
        #expect(!key.confirm(nothing).contains(true))
        return key
    }

    static func confirms(_ key: RecurringKey, _ raw: [UInt8], _ digest: [UInt8]) -> Bool {
        key.confirm([SignatureClaim(raw: raw, digest: digest)]) == [true]
    }

    static func library(_ key: P256.Signing.PublicKey, _ claim: SignatureClaim) -> Bool {
        (try? key.isValidSignature(.init(rawRepresentation: claim.raw), for: AnyDigest(bytes: claim.digest))) ?? false
    }

    static func library(_ key: P384.Signing.PublicKey, _ claim: SignatureClaim) -> Bool {
        (try? key.isValidSignature(.init(rawRepresentation: claim.raw), for: AnyDigest(bytes: claim.digest))) ?? false
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
                Self.checkNeighbours(recurring, raw, digest, order: Self.bytes(Self.order256)) {
                    Self.library(key.publicKey, $0)
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
                Self.checkNeighbours(recurring, raw, digest, order: Self.bytes(Self.order384)) {
                    Self.library(key.publicKey, $0)
                }
            }
        }
    }

    /// A signature and everything next to it, together and one by one, gets the answer of the library. Only digests
    /// beyond the order are left to it.
    static func checkNeighbours(
        _ key: RecurringKey, _ raw: [UInt8], _ digest: [UInt8], order: [UInt8], library: (SignatureClaim) -> Bool
    ) {
        let half = order.count
        let zero = [UInt8](repeating: 0, count: half)
        var flipped = raw
        flipped[Int.random(in: raw.indices)] ^= 1 << UInt8.random(in: 0..<8)
        // The other s of the same r is a signature too.
        let negative = difference(order, Array(raw[half...]))
        let good = [raw, raw[..<half] + negative]
        let bad: [[UInt8]] = [
            flipped, Array(raw[half...] + raw[..<half]), zero + raw[half...], raw[..<half] + zero,
            order + raw[half...], raw[..<half] + order, [UInt8](repeating: 255, count: 2 * half), zero + zero,
            Array(raw.dropLast()), raw + [0], [],
        ]
        let isBelowOrder = digest.count < half || digest.lexicographicallyPrecedes(order)
        let claims = (good + bad + good).map { SignatureClaim(raw: $0, digest: digest) }
        let answers = claims.map(library)
        #expect(answers == [true, true] + bad.map { _ in false } + [true, true])
        #expect(key.confirm(claims) == answers.map { $0 && isBelowOrder })
        for (claim, answer) in zip(claims, answers) { #expect(key.confirm([claim]) == [answer && isBelowOrder]) }
        if let first = digest.first {
            let other = SignatureClaim(raw: raw, digest: [first ^ 1] + digest.dropFirst())
            let wasBelow = isBelowOrder && other.digest.lexicographicallyPrecedes(order)
            #expect(key.confirm([other]) == [library(other) && wasBelow])
        }
    }

    /// Batches of every size, with wrong claims in every place, and the same claims again.
    static func checkBatches(
        _ key: RecurringKey, _ good: [SignatureClaim], order: [UInt8], library: (SignatureClaim) -> Bool
    ) {
        let half = order.count
        let zero = [UInt8](repeating: 0, count: half)
        let bad: [(SignatureClaim) -> SignatureClaim] = [
            { SignatureClaim(raw: $0.raw[..<half] + zero, digest: $0.digest) },
            { SignatureClaim(raw: zero + $0.raw[half...], digest: $0.digest) },
            { SignatureClaim(raw: $0.raw[..<half] + order, digest: $0.digest) },
            { SignatureClaim(raw: order + $0.raw[half...], digest: $0.digest) },
            { SignatureClaim(raw: $0.raw, digest: random(32)) },
            { SignatureClaim(raw: good[0].raw, digest: $0.digest + [1]) },
            { SignatureClaim(raw: [], digest: $0.digest) },
            { SignatureClaim(raw: $0.raw, digest: random(half + 1)) },
        ]
        #expect(key.confirm([]) == [])
        for count in [1, 2, 3, 4, 5, 8, 9, 31, good.count] {
            let batch = Array(good[..<count])
            #expect(key.confirm(batch) == batch.map { _ in true })
            for place in Set([0, 1, count / 2, count - 2, count - 1]) where batch.indices.contains(place) {
                for (i, change) in bad.enumerated() {
                    var changed = batch
                    changed[place] = change(changed[place])
                    let answers = changed.map(library)
                    #expect(answers.count { !$0 } == 1)
                    #expect(key.confirm(changed) == answers, "change \(i) at \(place) of \(count)")
                }
            }
            #expect(key.confirm(batch.map { bad[4]($0) }) == batch.map { _ in false })
            #expect(key.confirm(batch.map { bad[0]($0) }) == batch.map { _ in false })
        }
        #expect(key.confirm(good + good.reversed() + good) == [Bool](repeating: true, count: 3 * good.count))
        // Every signature with the digest of another.
        let swapped = good.indices.map { SignatureClaim(raw: good[$0].raw, digest: good[good.count - 1 - $0].digest) }
        #expect(key.confirm(swapped) == swapped.map(library))
    }

    @Test func batchesP256() throws {
        let key = P256.Signing.PrivateKey()
        let good = try (0..<65).map { _ in
            let digest = Self.random(31)
            return SignatureClaim(
                raw: Array(try key.signature(for: AnyDigest(bytes: digest)).rawRepresentation), digest: digest)
        }
        let recurring = Self.warm(.p256(key.publicKey))
        Self.checkBatches(recurring, good, order: Self.bytes(Self.order256)) { Self.library(key.publicKey, $0) }
    }

    @Test func batchesP384() throws {
        let key = P384.Signing.PrivateKey()
        let good = try (0..<33).map { _ in
            let digest = Self.random(47)
            return SignatureClaim(
                raw: Array(try key.signature(for: AnyDigest(bytes: digest)).rawRepresentation), digest: digest)
        }
        let recurring = Self.warm(.p384(key.publicKey))
        Self.checkBatches(recurring, good, order: Self.bytes(Self.order384)) { Self.library(key.publicKey, $0) }
    }

    /// A batch that makes the multiples necessary is checked with them; the batches before are not.
    @Test func multiplesAreMadeInTime() throws {
        let key = P384.Signing.PrivateKey()
        let digest = Self.random(48)
        let claim = SignatureClaim(
            raw: Array(try key.signature(for: AnyDigest(bytes: digest)).rawRepresentation), digest: digest)
        let recurring = RecurringKey(.p384(key.publicKey))
        let count = recurring.usesBeforeMultiples
        #expect(recurring.confirm([SignatureClaim](repeating: claim, count: count - 1)).allSatisfy { !$0 })
        #expect(recurring.confirm([claim]) == [false])
        #expect(recurring.confirm([claim]) == [true])
        let other = RecurringKey(.p384(key.publicKey))
        #expect(other.confirm([SignatureClaim](repeating: claim, count: count + 1)).allSatisfy { $0 })
    }

    /// Sums in which a point meets itself or its opposite are left to the library, without harm to the rest of the batch.
    @Test func equalPointsAreLeftToTheLibrary() throws {
        let one = Self.privateKeys(order: Self.order256)[0]
        let keys = try Self.privateKeys(order: Self.order256).map { try P256.Signing.PrivateKey(rawRepresentation: $0) }
        func x(of multiple: UInt8) throws -> [UInt8] {
            let key = try P256.Signing.PrivateKey(rawRepresentation: one.dropLast() + [multiple])
            return Array(key.publicKey.x963Representation[1..<33])
        }
        let digest = Self.random(31)
        for (i, key) in keys.enumerated() {
            let recurring = Self.warm(.p256(key.publicKey))
            let good = SignatureClaim(
                raw: Array(try key.signature(for: AnyDigest(bytes: digest)).rawRepresentation), digest: digest)
            // With r = s = z both factors are 1: the generator is added to the key, which is the generator or its opposite.
            let r = try x(of: 2)
            let meeting = SignatureClaim(raw: r + r, digest: r)
            #expect(Self.library(key.publicKey, meeting) == (i == 0))
            #expect(recurring.confirm([good, meeting, good]) == [true, false, true])
            #expect(recurring.confirm([meeting]) == [false])
            // Nor is what comes out when the rule for different points is used for equal ones: x = -2x.
            let prime = Self.bytes("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
            let wrong = Self.difference(prime, Self.sum(try x(of: 1), try x(of: 1)))
            #expect(recurring.confirm([SignatureClaim(raw: wrong + wrong, digest: wrong), good]) == [false, true])
            // And 0 * generator + 1 * key needs no sum.
            let x1 = try x(of: 1)
            let single = SignatureClaim(raw: x1 + x1, digest: [])
            #expect(Self.library(key.publicKey, single))
            #expect(recurring.confirm([meeting, single]) == [false, true])
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

    /// `bytes`, as a number, less `count`, which is not larger.
    static func difference(_ bytes: [UInt8], _ count: [UInt8]) -> [UInt8] {
        var result = bytes
        var borrow = 0
        for i in bytes.indices.reversed() {
            let digit = Int(bytes[i]) - Int(count[i]) - borrow
            result[i] = UInt8(truncatingIfNeeded: digit)
            borrow = digit < 0 ? 1 : 0
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
                let key = warm(publicKey)
                #expect(!confirms(key, r + r, zero) && library(r + r, zero), "this is left to the library")
                // An r that is the x itself is out of range.
                let x = sum(order, r)
                #expect(!confirms(key, x + r, zero) && !library(x + r, zero))
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

    /// What is asked in a batch is what is checked alone, and nothing that belongs to another key or algorithm is asked.
    @Test func claims() throws {
        let p256 = P256.Signing.PrivateKey()
        let p384 = P384.Signing.PrivateKey()
        let p521 = P521.Signing.PrivateKey()
        let root = SHA256Hashing.digest(utf8: "root")
        let keys: [(SigningPublicKey, [UInt8], isConfirmed: Bool)] = [
            (.p256(p256.publicKey), try RootSignature.sign(root: root, key: p256), true),
            (.p384(p384.publicKey), try RootSignature.sign(root: root, key: p384), true),
            (.p521(p521.publicKey), Array(try p521.signature(for: PrehashedSHA256(root)).derRepresentation), false),
        ]
        for (key, der, isConfirmed) in keys {
            let recurring = Self.warm(key)
            #expect(RootSignature.verify(der: der, root: root, publicKey: key).isVerified)
            let claims = [root, .zero].compactMap { RootSignature.claim(der: der, root: $0, key: recurring) }
            #expect(recurring.confirm(claims) == [isConfirmed, false])
            #expect(RootSignature.claim(der: der + [0], root: root, key: recurring) == nil)
            #expect(RootSignature.claim(der: Array(der.dropLast()), root: root, key: recurring) == nil)
            #expect(RootSignature.claim(der: [], root: root, key: recurring) == nil)
        }

        let other = RecurringKey(.p384(P384.Signing.PrivateKey().publicKey))
        let service = Self.warm(.p384(p384.publicKey))
        let cose = try COSERootSignature(
            cose: COSERootSignature.sign(
                root: root, txid: TransactionID(view: View(2), seqno: SequenceNumber(9)), issuedAt: 1, issuer: "i",
                subject: "s", key: p384, keyID: service.nodeID))
        let claims = [root, .zero].compactMap { cose.claim(root: $0, key: service) }
        #expect(service.confirm(claims) == [true, false])
        #expect(cose.claim(root: root, key: other) == nil)
    }

    @Test func threadsMayShareAKey() async throws {
        let key = P384.Signing.PrivateKey()
        let recurring = RecurringKey(.p384(key.publicKey))
        let digest = Self.random(48)
        let claim = SignatureClaim(
            raw: Array(try key.signature(for: AnyDigest(bytes: digest)).rawRepresentation), digest: digest)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<20).reduce(0) { count, _ in
                        count + recurring.confirm([claim, SignatureClaim(raw: [], digest: digest), claim]).count { $0 }
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(count <= 160 && count >= 160 - recurring.usesBeforeMultiples)
    }
}
