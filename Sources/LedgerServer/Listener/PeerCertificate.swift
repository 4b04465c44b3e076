import Crypto
import LedgerNode
import NIOSSL

/// The certificate a client proved to hold the key of. Nothing else about it is checked: not its issuer, not its
/// dates, not its key usage (API spec B.1).
struct PeerCertificate: Hashable, Sendable {
    /// SHA-256 of the DER bytes, upper-case pairs joined by colons.
    let fingerprint: String

    init(der: some Sequence<UInt8>) {
        self.fingerprint = Self.fingerprint(of: Array(der))
    }

    init?(_ certificate: NIOSSLCertificate) {
        guard let der = try? certificate.toDERBytes() else { return nil }
        self.init(der: der)
    }

    var identity: Identity { Identity(userID: fingerprint, method: .certificate) }

    /// 95 characters.
    static func fingerprint(of der: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(95)
        for byte in SHA256.hash(data: der) {
            if !text.isEmpty { text.append(UInt8(ascii: ":")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 0x0F)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
