import Foundation
import LedgerProofs

/// The statement of a node without trusted hardware. It protects against nobody: the host can read and change
/// everything in memory. Shape: ccf-formats 7.8.
enum VirtualQuote {
    static let format = "Insecure_Virtual"
    static let measurement = "Indelible virtual platform: no hardware protection"

    /// - Parameter reportData: SHA-256 of the node key's DER SubjectPublicKeyInfo; its hex form is the node id.
    static func make(reportData: Digest32) -> NodeQuote {
        let statement =
            "{\"host_data\":\"\(Digest32.zero.hex)\",\"measurement\":\"\(measurement)\","
            + "\"report_data\":\"\(Data(reportData.bytes).base64EncodedString())\"}"
        return NodeQuote(
            format: format, raw: Array(statement.utf8), endorsements: [], measurement: Hex.encode(measurement.utf8))
    }
}
