#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files that appear whole or not at all and are never written again.
enum WriteOnceFile {
    /// What became of a write.
    enum Outcome: Equatable {
        case written
        /// There is a file of that name already; nothing was changed.
        case exists
    }

    /// A system call that failed.
    struct Failure: Error {
        var call: StaticString
        var path: String
        var code: Int32

        var reason: String {
            switch (call.description, code) {
            case ("fstat", EINVAL): "\(path): is not a regular file"
            case (_, EFBIG): "\(path): is too large"
            case ("link", EPERM), ("link", EOPNOTSUPP):
                "\(path): the file system has no hard links, so that a file cannot appear whole"
            default: "\(path): \(call): \(String(cString: strerror(code)))"
            }
        }

        /// Whether trying again is of no use until somebody changes something.
        var isRefusal: Bool {
            [EACCES, EPERM, EROFS, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EOPNOTSUPP, EISDIR].contains(code)
        }
    }

    /// The end of the names of files that are being written.
    static let temporarySuffix = ".tmp"

    /// Writes `bytes` to `directory/name`, mode 0444: a temporary file is filled and made durable, then linked under
    /// its name, which fails if the name is taken, and the directory is made durable.
    static func write(_ bytes: [UInt8], directory: String, name: String) throws(Failure) -> Outcome {
        let temporary = "\(directory)/.\(name).\(UInt64.random(in: .min ... .max))\(temporarySuffix)"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o444)
        guard file >= 0 else { throw Failure(call: "open", path: temporary, code: errno) }
        defer { unlink(temporary) }
        do {
            defer { close(file) }
            try fill(file, with: bytes, path: temporary)
        }
        let target = "\(directory)/\(name)"
        guard link(temporary, target) == 0 else {
            guard errno == EEXIST else { throw Failure(call: "link", path: target, code: errno) }
            return .exists
        }
        unlink(temporary)
        try synchronise(directory: directory)
        return .written
    }

    private static func fill(_ file: Int32, with bytes: [UInt8], path: String) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { unsafeBytes in
                #if canImport(Glibc)
                    Glibc.write(file, unsafeBytes.baseAddress, unsafeBytes.count)
                #elseif canImport(Musl)
                    Musl.write(file, unsafeBytes.baseAddress, unsafeBytes.count)
                #else
                    Darwin.write(file, unsafeBytes.baseAddress, unsafeBytes.count)
                #endif
            }
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw Failure(call: "write", path: path, code: errno)
            }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0 else { throw Failure(call: "fsync", path: path, code: errno) }
    }

    /// Makes the names in a directory durable.
    static func synchronise(directory: String) throws(Failure) {
        let file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(call: "open", path: directory, code: errno) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw Failure(call: "fsync", path: directory, code: errno) }
    }

    /// The bytes of a regular file of at most `limit` bytes; `nil` when there is no file. Symbolic links, directories
    /// and devices are not followed or opened.
    /// - Throws: `Failure`, with the code `EINVAL` for anything but a regular file and `EFBIG` for a larger one.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw Failure(call: "open", path: path, code: errno)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw Failure(call: "fstat", path: path, code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(call: "fstat", path: path, code: EINVAL) }
        guard status.st_size <= limit else { throw Failure(call: "fstat", path: path, code: EFBIG) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= limit {
            let count = buffer.withUnsafeMutableBytes { unsafeBytes in
                #if canImport(Glibc)
                    Glibc.read(file, unsafeBytes.baseAddress, unsafeBytes.count)
                #elseif canImport(Musl)
                    Musl.read(file, unsafeBytes.baseAddress, unsafeBytes.count)
                #else
                    Darwin.read(file, unsafeBytes.baseAddress, unsafeBytes.count)
                #endif
            }
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw Failure(call: "read", path: path, code: errno)
            }
            bytes += buffer[..<count]
        }
        throw Failure(call: "read", path: path, code: EFBIG)
    }

    /// Creates a directory in one that exists and makes it durable. One that is there already is fine.
    static func makeDirectory(_ name: String, in parent: String) throws(Failure) {
        let path = "\(parent)/\(name)"
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw Failure(call: "mkdir", path: path, code: errno)
        }
        try synchronise(directory: parent)
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a directory, sorted; `nil` when there is no such directory.
    static func names(in directory: String) throws(Failure) -> [String]? {
        guard let stream = opendir(directory) else {
            if errno == ENOENT { return nil }
            throw Failure(call: "opendir", path: directory, code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw Failure(call: "readdir", path: directory, code: errno) }
                return names.sorted()
            }
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }
}
