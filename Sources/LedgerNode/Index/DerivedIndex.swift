import Foundation

/// The derived files of one directory, open.
struct DerivedIndex {
    let path: String
    let entries: EntryIndex
    let merkle: MerkleStore
    let signatures: SignatureIndex

    /// Opens the files in `path`, a directory that is there, and makes those that are missing.
    init(path: String) throws {
        self.path = path
        let tree = path + "/merkle"
        if mkdir(tree, 0o700) != 0, errno != EEXIST {
            throw DiskError(operation: "make directory", path: tree, code: errno)
        }
        entries = try EntryIndex(path: path + "/index.sqlite")
        merkle = try MerkleStore(directory: tree)
        signatures = try SignatureIndex(path: tree + "/signatures")
    }

    /// Makes everything durable and closes the database, so that the directory may be renamed.
    func finish() throws {
        try entries.close()
        let database = path + "/index.sqlite"
        let descriptor = open(database, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError(operation: "open", path: database, code: errno) }
        defer { close(descriptor) }
        try PosixDisk().sync(descriptor)
        try merkle.sync()
        try signatures.sync()
        try PosixDisk().syncDirectory(path + "/merkle")
        try PosixDisk().syncDirectory(path)
    }
}
