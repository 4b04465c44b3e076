import Foundation

enum FileKind {
    /// The kind of what is at `path`, links followed; `nil` for what is not there or has no kind.
    static func of(_ path: String) -> FileAttributeType? {
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        return (try? FileManager.default.attributesOfItem(atPath: file.path))?[.type] as? FileAttributeType
    }
}
