import Foundation
import LedgerNode

/// Reads files named by the user and says which one cannot be read and why.
enum InputFile {
    /// Errors: a `Failure` naming the path. `limit` keeps a wrong argument from filling the memory.
    static func bytes(_ path: String, limit: Int = 256 << 20) throws -> [UInt8] {
        guard !path.isEmpty else { throw Failure("a file was named with an empty name") }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw Failure("\(path): \(FileKind.absence(path))")
        }
        guard !isDirectory.boolValue else { throw Failure("\(path): is a directory, expected a file") }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let byteCount = attributes?[.size] as? Int ?? 0
        guard byteCount <= limit else { throw Failure("\(path): longer than \(limit) bytes") }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw Failure("\(path): cannot be read (\(String(cString: strerror(errno))))")
        }
        defer { try? handle.close() }
        return try read(handle, path, limit: limit)
    }

    /// Says on standard error that standard input is read, where that is somebody at a terminal who sees nothing else.
    static func announceTerminal() {
        if isatty(STDIN_FILENO) == 1 { Output.diagnostic("reading from the terminal; end with Ctrl-D") }
    }

    /// As above, or standard input for `-`.
    static func bytesOrStandardInput(_ path: String, limit: Int = 256 << 20) throws -> [UInt8] {
        path == "-" ? try read(.standardInput, "standard input", limit: limit) : try bytes(path, limit: limit)
    }

    /// Everything up to the end. `name` is what errors call it. Pipes and devices tell no length beforehand, so it is
    /// counted while reading.
    static func read(_ handle: FileHandle, _ name: String, limit: Int = 256 << 20) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let more: Data?
            do {
                more = try handle.read(upToCount: 1 << 20)
            } catch {
                throw Failure("\(name): cannot be read")
            }
            guard let more, !more.isEmpty else { return bytes }
            bytes += more
            guard bytes.count <= limit else { throw Failure("\(name): longer than \(limit) bytes") }
        }
    }

    /// Errors: a `Failure` for what some editors put before a text, and no format allows. `name` is what it calls the file.
    static func checkEncoding(_ bytes: [UInt8], _ name: String) throws {
        guard ![[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF]].contains(where: bytes.starts(with:)) else {
            throw Failure("\(name): begins with a byte order mark; save it as UTF-8 without one")
        }
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

    /// The certificate of one person and the user id that it stands for. `option` is put before the path in errors.
    static func certificate(of path: String, named option: String? = nil) throws -> (pem: String, userID: String) {
        let pem = try smallText(path)
        do {
            return (pem, try NodeConfiguration.userID(certificatePEM: pem))
        } catch let error as LedgerError {
            throw Failure("\(option.map { "\($0): " } ?? "")\(path): \(error.reason)")
        }
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
