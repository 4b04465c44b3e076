import Foundation
import Synchronization

/// Finds the package's sources from the place of this file.
enum Sources {
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let root = package.appending(path: "Sources")

    /// Each module is read once: taking sources apart is slow in a debug build.
    private static let modules = Mutex<[String: [SourceFile]]>([:])

    static func files(of module: String) throws -> [SourceFile] {
        try modules.withLock { modules in
            if let files = modules[module] { return files }
            let files = try read(module)
            modules[module] = files
            return files
        }
    }

    private static func read(_ module: String) throws -> [SourceFile] {
        let folder = root.appending(path: module)
        let names = FileManager.default.enumerator(atPath: folder.path())?.compactMap { $0 as? String } ?? []
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            return SourceFile(path: "Sources/\(module)/\(name)", text: text)
        }
    }
}
