import Crypto
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A public key that is expected to have made many signatures. After some of them it keeps multiples of its point (0.3 to
/// 0.6 MB), and confirms signatures, many together, in a fraction of the time that `SigningPublicKey` takes
/// (decision 0016).
package final class RecurringKey: Sendable {
    package let key: SigningPublicKey
    package let nodeID: String

    #if canImport(Darwin)
        package init(_ key: SigningPublicKey) {
            self.key = key
            nodeID = key.nodeID
        }

        package func confirm(_ claims: [SignatureClaim]) -> [Bool] { claims.map { _ in false } }
    #else
        private enum State {
            case counting(Int)
            /// They cannot be had.
            case without
            case ready(CurveArithmetic, PointMultiples)
        }

        /// Making the multiples, and once those of the generator, takes as long as about so many checks save.
        package var usesBeforeMultiples: Int {
            switch key {
            case .p256: 48
            case .p384, .p521: 16
            }
        }

        private let state = Mutex(State.counting(0))

        package init(_ key: SigningPublicKey) {
            self.key = key
            nodeID = key.nodeID
        }

        /// For every claim, whether the multiples confirm it. `false` says nothing: ask `key`.
        package func confirm(_ claims: [SignatureClaim]) -> [Bool] {
            // Others wait while the multiples are made, which takes less time than checking without them.
            let ready = state.withLock { state -> (CurveArithmetic, PointMultiples)? in
                if case .counting(let count) = state {
                    if count + claims.count <= usesBeforeMultiples {
                        state = .counting(count + claims.count)
                    } else {
                        state = makeMultiples().map { .ready($0.0, $0.1) } ?? .without
                    }
                }
                if case .ready(let curve, let multiples) = state { return (curve, multiples) }
                return nil
            }
            guard let (curve, multiples) = ready else { return claims.map { _ in false } }
            return curve.confirm(claims, key: multiples)
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
