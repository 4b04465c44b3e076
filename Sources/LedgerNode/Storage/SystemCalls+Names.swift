// The compiler takes the members of `stat` for this module's.
import CoreFoundation
import Foundation

extension SystemCalls {
    /// Whether `path` names the open file. `true` also when the system cannot say.
    static func isName(_ path: String, of descriptor: Int32) -> Bool {
        var held = stat()
        guard fstat(descriptor, &held) == 0 else { return true }
        var named = stat()
        guard stat(path, &named) == 0 else { return errno != ENOENT && errno != ENOTDIR }
        return held.st_nlink > 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino
    }
}
