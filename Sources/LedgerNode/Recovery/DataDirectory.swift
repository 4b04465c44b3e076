import Foundation

/// The paths of a data directory (Documentation/spec/data-directory.md).
struct DataDirectory: Sendable {
    let path: String

    var ledger: String { path + "/ledger" }
    var snapshots: String { path + "/snapshots" }
    var index: String { path + "/index" }
    var merkle: String { path + "/index/merkle" }
    var keys: String { path + "/keys" }
    var scratch: String { path + "/scratch" }
    var setAside: String { path + "/set-aside" }
    var lock: String { path + "/lock" }
    var settings: String { path + "/node.json" }
    var serviceCertificate: String { path + "/service_cert.pem" }
    var administrator: String { path + "/admin.pem" }
    var keyring: String { keys + "/keyring.sealed" }
    var sealingKey: String { keys + "/sealing.key" }
    var view: String { keys + "/view" }
    var entryIndex: String { index + "/index.sqlite" }
    var staleMarker: String { index + "/stale" }
    var signatureIndex: String { merkle + "/signatures" }

    /// Makes what is missing. The directory itself and its parts are readable by the owner only.
    func prepare() throws {
        for directory in [path, ledger, snapshots, index, merkle, keys, scratch, setAside] {
            if mkdir(directory, 0o700) != 0, errno != EEXIST {
                throw LedgerError(
                    .inputOutput, "\(DiskError(operation: "make directory", path: directory, code: errno))")
            }
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: scratch) { unlink(scratch + "/" + name) }
    }

    /// Throws the derived files away.
    func removeIndex() throws {
        try FileManager.default.removeItem(atPath: index)
        try prepare()
    }
}
