import Crypto
import Foundation

/// Values for `x-ms-client-request-id`. The same id with the same caller and contents is the same write.
public enum RequestID {
    /// A random UUID, lower case.
    public static func random() -> String { UUID().uuidString.lowercased() }

    /// The same id for the same batch and position every time: a batch sent twice is written once. A UUID in form
    /// (version 8, RFC 9562), the first 16 bytes of SHA-256(`batch` ‖ 0 ‖ `index` in decimal).
    public static func stable(batch: String, index: Int) -> String {
        var bytes = Array(SHA256.hash(data: Array(batch.utf8) + [0] + Array(String(index).utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        return UUID(
            uuid: (
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9],
                bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
            )
        ).uuidString.lowercased()
    }
}
