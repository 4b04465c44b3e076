import Foundation

/// Reads files named by the user and says which one cannot be read and why.
enum InputFile {
    /// Errors: a `Failure` naming the path. `limit` keeps a wrong argument from filling the memory.
    static func bytes(_ path: String, limit: Int = 256 << 20) throws -> [UInt8] {
        var information = stat()
        guard stat(path, &information) == 0 else { throw Failure("\(path): \(String(cString: strerror(errno)))") }
        guard information.st_mode & S_IFMT != S_IFDIR else { throw Failure("\(path): is a directory, expected a file") }
        guard information.st_size <= limit else { throw Failure("\(path): longer than \(limit) bytes") }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure("\(path): cannot be read")
        }
        return Array(data)
    }

    /// Errors: as above, and for bytes that are not UTF-8.
    static func text(_ path: String, limit: Int = 256 << 20) throws -> String {
        guard let text = String(validating: try bytes(path, limit: limit), as: UTF8.self) else {
            throw Failure("\(path): is not UTF-8 text")
        }
        return text
    }

    /// PEM and token files.
    static func smallText(_ path: String) throws -> String { try text(path, limit: 1 << 20) }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
