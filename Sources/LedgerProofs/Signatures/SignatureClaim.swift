/// That somebody's key signed a digest.
package struct SignatureClaim: Sendable {
    /// `r ‖ s`, each as long as the order of the key's curve.
    package var raw: [UInt8]
    package var digest: [UInt8]

    package init(raw: [UInt8], digest: [UInt8]) {
        self.raw = raw
        self.digest = digest
    }
}
