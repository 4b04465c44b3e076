import Foundation

/// Writes files named by the user. A regular file is written whole or not at all and keeps its mode, a symbolic link stays
/// one; pipes, terminals and devices are written to, and so is standard output, which is called -.
enum OutputFile {
    /// Errors: a `Failure` naming the path. `mode` is for a file that is made.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o666) throws {
        let target = try target(of: path)
        if let descriptor = ownDescriptor(target) { return try write(bytes, to: descriptor, path) }
        let facts = try? FileManager.default.attributesOfItem(atPath: target)
        switch facts?[.type] as? FileAttributeType {
        case .typeDirectory?: throw Failure("\(path): is a directory; name a file")
        case nil, .typeRegular?: try replace(target, with: bytes, facts, mode, path)
        default:
            let descriptor = open(target, O_WRONLY | O_CLOEXEC | O_NOCTTY)
            guard descriptor >= 0 else { throw failure(path) }
            defer { close(descriptor) }
            try write(bytes, to: descriptor, path)
        }
    }

    /// Whether `path` is one of the names of standard output: a file written there is followed by nothing else.
    /// So is one that a link leads there from.
    static func isStandardOutput(_ path: String) -> Bool {
        ownDescriptor((try? target(of: path)) ?? path) == STDOUT_FILENO
    }

    /// Errors: a `Failure` where writing to `path`, the value of `option`, would replace a file that the command reads, or put one
    /// below a folder that it reads.
    static func check(_ path: String, _ option: String, isNoneOf inputs: [String], norBelow folders: [String] = [])
        throws
    {
        guard let place = place(of: path) else { return }
        if let whole = (try? target(of: path)).flatMap({ FileKind.resolved(folder(of: $0)) }),
            let folder = folders.first(where: { (whole + "/").hasPrefix((FileKind.resolved($0) ?? $0) + "/") })
        {
            throw Failure("\(option): \(path): is in a place that this command reads (\(folder)); name another file")
        }
        if let input = inputs.first(where: { Self.place(of: $0) == place }) {
            throw Failure("\(option): \(path): is what this command reads (\(input)); name another file")
        }
    }

    /// A regular file, whatever its names are; or one that can be made.
    private struct Place: Hashable {
        var device: dev_t
        var number: ino_t
        /// Where there is no file: its name in the folder.
        var name: Substring?
    }

    /// `nil`: nothing there could be replaced.
    private static func place(of path: String) -> Place? {
        guard let target = try? target(of: path), ownDescriptor(target) == nil else { return nil }
        var info = stat()
        if stat(target, &info) == 0 {
            guard info.st_mode & S_IFMT == S_IFREG else { return nil }
            return Place(device: info.st_dev, number: info.st_ino)
        }
        guard stat(folder(of: target), &info) == 0 else { return nil }
        return Place(device: info.st_dev, number: info.st_ino, name: target.split(separator: "/").last)
    }

    /// The names of the program's own descriptors: what is behind them is written to, also when it is a file, since
    /// others write to it as well.
    private static func ownDescriptor(_ path: String) -> Int32? {
        if path == "-" { return STDOUT_FILENO }
        guard path.hasPrefix("/") else { return nil }
        // Empty parts and those that are one dot lead nowhere else.
        let path = "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        switch path {
        case "/dev/stdout": return STDOUT_FILENO
        case "/dev/stderr": return STDERR_FILENO
        default:
            for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
                return Int32(path.dropFirst(folder.count))
            }
            return nil
        }
    }

    /// Where symbolic links lead to, whether that exists or not.
    private static func target(of path: String) throws -> String {
        var target = path
        // As many as Linux follows.
        for _ in 0..<40 {
            if ownDescriptor(target) != nil { return target }
            guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: target) else { return target }
            target = next.hasPrefix("/") ? next : folder(of: target) + "/" + next
        }
        throw Failure("\(path): too many symbolic links")
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func replace(
        _ target: String, with bytes: [UInt8], _ old: [FileAttributeKey: Any]?, _ newMode: mode_t, _ path: String
    ) throws {
        let folder = folder(of: target)
        var info = stat()
        // Where it is there and may not be entered, opening says so.
        guard stat(folder, &info) == 0 || errno != ENOENT else {
            throw Failure("\(path): there is no directory \(folder)")
        }
        let temporary = "\(folder)/.indelible-\(getpid())-\(UInt32.random(in: 0 ... .max)).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, old == nil ? newMode : 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        do {
            defer { close(descriptor) }
            try write(bytes, to: descriptor, path)
            if let old {
                // Only the superuser can give it back to another owner; the owner comes first, it clears bits of the mode.
                if let owner = old[.ownerAccountID] as? Int, let group = old[.groupOwnerAccountID] as? Int {
                    _ = fchown(descriptor, uid_t(owner), gid_t(group))
                }
                let mode = old[.posixPermissions] as? Int ?? 0o600
                guard fchmod(descriptor, mode_t(mode)) == 0 else { throw failure(path) }
            }
            guard fsync(descriptor) == 0, rename(temporary, target) == 0 else { throw failure(path) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws {
        guard Output.write(bytes, to: descriptor) else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Failure {
        Failure("\(path): cannot be written (\(String(cString: strerror(errno))))")
    }
}
