#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The regular files and the directories of one directory.
struct DirectoryListing {
    var files: [String] = []
    var directories: [String] = []

    init(path: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() {
            var isDirectory = false
            let full = path + "/" + name
            #if canImport(FoundationEssentials)
                _ = FileManager.default.fileExists(atPath: full, isDirectory: &isDirectory)
            #else
                var flag: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: full, isDirectory: &flag)
                isDirectory = flag.boolValue
            #endif
            if isDirectory { directories.append(name) } else { files.append(name) }
        }
    }
}
