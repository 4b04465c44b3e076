import Foundation

/// Finds the package's sources from the place of this file.
enum Sources {
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let root = package.appending(path: "Sources")

    static func files(of module: String) throws -> [SourceFile] {
        let folder = root.appending(path: module)
        let names = FileManager.default.enumerator(atPath: folder.path())?.compactMap { $0 as? String } ?? []
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            return SourceFile(path: "Sources/\(module)/\(name)", text: text)
        }
    }
}
