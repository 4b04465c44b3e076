import Foundation

/// The paths of a data directory (Documentation/spec/data-directory.md).
struct DataDirectory: Sendable {
    let path: String

    var ledger: String { path + "/ledger" }
    var snapshots: String { path + "/snapshots" }
    var index: String { path + "/index" }
    var keys: String { path + "/keys" }
    var scratch: String { path + "/scratch" }
    static let setAsideName = "set-aside"
    var setAside: String { path + "/" + Self.setAsideName }
    var lock: String { path + "/lock" }
    var settings: String { path + "/node.json" }
    var serviceCertificate: String { path + "/service_cert.pem" }
    var administrator: String { path + "/admin.pem" }
    var keyring: String { keys + "/keyring.sealed" }
    var sealingKey: String { keys + "/sealing.key" }
    var view: String { keys + "/view" }
    var staleMarker: String { index + "/stale" }
    /// An index that is being built, and the one that it takes the place of.
    var newIndex: String { scratch + "/index" }
    var oldIndex: String { scratch + "/index.old" }

    /// Makes what is missing, but no index. The directory itself and its parts are readable by the owner only.
    func prepare(disk: any Disk) throws {
        for directory in [path, ledger, snapshots, keys, scratch, setAside] {
            if mkdir(directory, 0o700) != 0, errno != EEXIST {
                throw LedgerError(
                    .inputOutput, "\(DiskError(operation: "make directory", path: directory, code: errno))")
            }
        }
        try checkFileSystem()
        // The old index tells what was committed. A crash while it was replaced must not make that forgotten.
        if !FileManager.default.fileExists(atPath: index), FileManager.default.fileExists(atPath: oldIndex) {
            try disk.rename(oldIndex, to: index)
            try disk.syncDirectory(path)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: scratch) {
            try FileManager.default.removeItem(atPath: scratch + "/" + name)
        }
    }

    /// Files are made in `scratch` and moved to their places in one step, which does not lead from one file system to
    /// another. Error: `invalidInput`.
    private func checkFileSystem() throws {
        for directory in [path, ledger, snapshots] {
            // That there is nothing of the name is found after the file systems were compared.
            guard rename(scratch + "/nothing", directory + "/nothing") != 0, errno == EXDEV else { continue }
            throw LedgerError(
                .invalidInput,
                "\(directory) and \(scratch) lie on different file systems; put the whole data directory on one")
        }
    }

    /// Makes an empty directory for an index that is to be built beside the present one.
    func makeNewIndex() throws {
        try? FileManager.default.removeItem(atPath: newIndex)
        guard mkdir(newIndex, 0o700) == 0 else {
            throw DiskError(operation: "make directory", path: newIndex, code: errno)
        }
    }

    /// Puts the new index, which is durable and closed, in the place of the old one. At every moment one of the two is
    /// there, or `prepare` finds the old one.
    func replaceIndex(disk: any Disk) throws {
        if FileManager.default.fileExists(atPath: index) {
            try disk.rename(index, to: oldIndex)
            try disk.syncDirectory(scratch)
        }
        try disk.rename(newIndex, to: index)
        try disk.syncDirectory(path)
        // Left behind, it is removed by the next start.
        try? FileManager.default.removeItem(atPath: oldIndex)
    }
}
