import Foundation

/// A failed file operation: which one, on which path, and the system's reason.
struct DiskError: Error, CustomStringConvertible {
    var operation: String
    var path: String
    var code: Int32

    var isDiskFull: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

    /// Too many files are open, in the process or in the system: that says nothing about this one, and it passes.
    var isPassing: Bool { code == EMFILE || code == ENFILE }

    var description: String {
        "\(operation) \(path): \(String(cString: strerror(code)))"
    }
}
