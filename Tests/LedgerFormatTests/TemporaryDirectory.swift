import Foundation

/// A directory that goes away with the value.
final class TemporaryDirectory {
    let url: URL
    var path: String { url.path }

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "ledger-format-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    convenience init(copyOf vector: String) throws {
        try self.init()
        let from = Vectors.directory.appending(path: vector)
        for name in try FileManager.default.contentsOfDirectory(atPath: from.path) {
            try FileManager.default.copyItem(at: from.appending(path: name), to: url.appending(path: name))
        }
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appending(path: name))) }
    func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: url.appending(path: name)) }
    func change(_ name: String, _ body: (inout [UInt8]) -> Void) throws {
        var content = try bytes(name)
        body(&content)
        try write(name, content)
    }
    func rename(_ name: String, _ other: String) throws {
        try FileManager.default.moveItem(at: url.appending(path: name), to: url.appending(path: other))
    }
    func remove(_ name: String) throws { try FileManager.default.removeItem(at: url.appending(path: name)) }
    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(at: url.appending(path: name), withIntermediateDirectories: true)
    }
}
