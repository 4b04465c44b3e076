import Foundation

/// A failed file operation: which one, on which path, and the system's reason.
struct DiskError: Error, CustomStringConvertible {
    var operation: String
    var path: String
    var code: Int32

    /// A limit on the size of files (EFBIG) is something else: room elsewhere says nothing about this file.
    var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

    /// Too many files are open, in the process or in the system: that says nothing about this one, and it passes.
    var isPassing: Bool { code == EMFILE || code == ENFILE }

    var description: String { text(path) }

    /// For whoever calls from afar: names the file, but not where it is on this machine.
    var told: String { text(path.split(separator: "/").last.map(String.init) ?? "") }

    private func text(_ file: String) -> String { "\(operation) \(file): \(String(cString: strerror(code)))" }

    /// `told` of an error that is one of these, otherwise the error's own text.
    static func told(_ error: any Error) -> String { (error as? DiskError)?.told ?? "\(error)" }
}
