import Foundation
import Testing

@testable import LedgerNode

@Suite struct AppendOnlyFileTests {
    /// Against an array, on both sides of the limit up to which a file is kept in memory.
    @Test(arguments: [0, 64, 100, 1_000]) func readsWhatWasFlushed(_ limit: Int) throws {
        let directory = TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory.data(), withIntermediateDirectories: true)
        let path = directory.data() + "/file"
        var file = try AppendOnlyFile(path: path, residentByteCountLimit: limit)
        var model: [UInt8] = []

        func check(_ label: Comment) throws {
            #expect(file.byteCount == UInt64(model.count), label)
            for count in [1, 8, 32] {
                for offset in stride(from: 0, through: model.count + 8, by: 8) {
                    let expected = offset + count <= model.count ? Array(model[offset..<offset + count]) : nil
                    #expect(try file.read(at: UInt64(offset), count: count) == expected, label)
                }
            }
        }
        func append(_ count: Int) throws {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: model.count + $0 * 3) }
            bytes.withUnsafeBytes { file.append($0) }
            try check("not flushed")
            try file.flush()
            model += bytes
            try check("appended")
        }

        try check("empty")
        for count in [8, 24, 32, 8, 40] { try append(count) }
        try file.truncate(to: 72)
        model.removeLast(model.count - 72)
        try check("cut")
        try append(16)
        try file.truncate(to: 40)
        model.removeLast(model.count - 40)
        try check("cut again")
        file = try AppendOnlyFile(path: path, residentByteCountLimit: limit)
        try check("reopened")
        try append(96)
        file = try AppendOnlyFile(path: path, residentByteCountLimit: limit)
        try check("reopened again")
        withExtendedLifetime(directory) {}
    }
}
