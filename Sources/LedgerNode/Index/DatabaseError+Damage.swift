import GRDB

extension DatabaseError {
    /// The file is not what the node wrote; otherwise it is only out of reach, for now.
    var isDamage: Bool { [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR].contains(resultCode) }

    /// An error of the index without the statement, whose arguments may be collections and tags.
    static func text(_ error: any Error) -> String {
        (error as? DatabaseError).map { $0.message ?? "\($0.resultCode)" } ?? DiskError.told(error)
    }
}
