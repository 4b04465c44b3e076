import Foundation

/// Refuses to serve a data directory in which a pipe, a socket or a device lies among the chunks or snapshots. Opening a
/// pipe waits for a writer that may never come, and nothing can be said about what should be in its place: unable to
/// tell, as `ledger verify` says it. A chunk that is missing is tampering, for both.
enum RegularFiles {
    private static let folders = ["ledger", "snapshots"]

    /// A folder that is not there yet has nothing to object to. Links are followed.
    static func check(dataDirectory: String) throws {
        for folder in folders.map({ "\(dataDirectory)/\($0)" }) {
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { continue }
            for name in names.sorted() {
                // What is not there or has no kind is told when it is read.
                guard let kind = FileKind.of("\(folder)/\(name)") else { continue }
                guard [.typeRegular, .typeDirectory, .typeSymbolicLink].contains(kind) else {
                    throw Failure("\(folder)/\(name): is not a regular file; nothing was changed")
                }
            }
        }
    }
}
