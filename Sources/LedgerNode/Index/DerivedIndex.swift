import Foundation

/// The derived files of one directory, open.
struct DerivedIndex {
    let path: String
    let entries: EntryIndex
    let merkle: MerkleStore
    let signatures: SignatureIndex

    /// Opens the files in `path`, a directory that is there, and makes those that are missing.
    init(path: String, ledger: String) throws {
        self.path = path
        let tree = path + "/merkle"
        if mkdir(tree, 0o700) != 0, errno != EEXIST {
            throw DiskError(operation: "make directory", path: tree, code: errno)
        }
        entries = try EntryIndex(path: Self.database(in: path), ledger: ledger)
        merkle = try MerkleStore(directory: tree)
        signatures = try SignatureIndex(path: tree + "/signatures")
    }

    static func database(in path: String) -> String { path + "/index.sqlite" }

    /// Makes everything durable and closes the database, so that the directory may be renamed.
    func finish() throws {
        try entries.checkpoint()
        try entries.close()
        let database = Self.database(in: path)
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
