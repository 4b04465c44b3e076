import Foundation

enum FileKind {
    /// The kind of what is at `path`, links followed; `nil` for what is not there or has no kind.
    static func of(_ path: String) -> FileAttributeType? {
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        return (try? FileManager.default.attributesOfItem(atPath: file.path))?[.type] as? FileAttributeType
    }

    /// The path without links, as the system finds it; `nil` for what is not there.
    static func resolved(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    /// Why nothing was found at `path`, in words: it is not there, or nobody told us because of the rights.
    static func absence(_ path: String, expected: String = "file") -> String {
        var info = stat()
        let code = stat(path, &info) == 0 ? ENOENT : errno
        return switch code {
        case ENOENT, ENOTDIR: "there is no such \(expected)"
        case EACCES: "may not be read by this user (a directory on the way may not be entered)"
        default: "cannot be read (\(String(cString: strerror(code))))"
        }
    }
}
