import Crypto
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A public key that is expected to have made many signatures. After some of them it keeps multiples of its point
/// (about 1.5 MB), and then checks a signature of P-256 in half and one of P-384 in a third of the time (decision 0016).
///
/// Its verdicts are those of `SigningPublicKey`: whatever the multiples do not confirm is left to that.
package final class RecurringKey: Sendable {
    package let key: SigningPublicKey
    package let nodeID: String

    #if canImport(Darwin)
        package init(_ key: SigningPublicKey) {
            self.key = key
            nodeID = key.nodeID
        }

        func isValid(raw: UnsafeRawBufferPointer, digest: some Digest) throws -> Bool {
            try key.isValid(raw: raw, digest: digest)
        }
    #else
        private enum State {
            case counting(Int)
            /// Somebody is making the multiples, or they cannot be had.
            case without
            case ready(CurveArithmetic, PointMultiples)
        }

        /// Making the multiples, and once those of the generator, takes as long as about so many checks save.
        package var usesBeforeMultiples: Int {
            switch key {
            case .p256: 96
            case .p384, .p521: 48
            }
        }

        private let state = Mutex(State.counting(0))

        package init(_ key: SigningPublicKey) {
            self.key = key
            nodeID = key.nodeID
        }

        func isValid(raw: UnsafeRawBufferPointer, digest: some Digest) throws -> Bool {
            if confirms(raw: raw, digest: digest) { return true }
            return try key.isValid(raw: raw, digest: digest)
        }

        /// Whether the multiples say that `raw` (`r ‖ s`) signs `digest`; `false` while there are none.
        package func confirms(raw: UnsafeRawBufferPointer, digest: some Digest) -> Bool {
            let isTimeToMakeThem = state.withLock { state -> Bool in
                guard case .counting(let count) = state else { return false }
                state = count < usesBeforeMultiples ? .counting(count + 1) : .without
                return count >= usesBeforeMultiples
            }
            if isTimeToMakeThem, let made = makeMultiples() {
                state.withLock { $0 = .ready(made.0, made.1) }
            }
            guard case .ready(let curve, let multiples) = state.withLock({ $0 }) else { return false }
            return digest.withUnsafeBytes { curve.isSignature(raw, of: $0, key: multiples) }
        }

        private func makeMultiples() -> (CurveArithmetic, PointMultiples)? {
            let curve: CurveArithmetic?
            let point: [UInt8]
            switch key {
            case .p256(let key): (curve, point) = (.p256, Array(key.x963Representation))
            case .p384(let key): (curve, point) = (.p384, Array(key.x963Representation))
            case .p521: return nil
            }
            guard let curve, let multiples = point.withUnsafeBytes({ curve.multiples(of: $0) }) else { return nil }
            return (curve, multiples)
        }
    #endif
}
