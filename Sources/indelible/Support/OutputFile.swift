import Foundation

/// Writes files named by the user, whole or not at all.
enum OutputFile {
    /// Errors: a `Failure` naming the path.
    static func write(_ bytes: [UInt8], to path: String) throws {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw Failure("\(path): is a directory; name a file")
        }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder) else {
            throw Failure("\(path): there is no directory \(folder)")
        }
        do {
            try Data(bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw Failure("\(path): cannot be written (\(error.localizedDescription))")
        }
    }
}
