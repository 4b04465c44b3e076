import Foundation
import Metrics
import MetricsTestKit
import SQLLedger
import SQLLedgerDigests
import Testing

/// What uploads tell the process's metrics system.
@Suite struct UploadMetricsTests {
    @Test func uploadsFailuresAndDelaysAreCounted() async throws {
        try await TemporaryDirectory.with { folder in
            let source = MemorySource()
            let path = "\(folder)/store"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let store = DirectoryDigestStore(path: path)
            var policy = DigestUploadPolicy()
            policy.firstPause = .milliseconds(1)
            policy.longestPause = .milliseconds(1)
            let metrics = TestMetrics()
            let uploader = withMetricsFactory(metrics) {
                DigestUploader(source: source, stores: [store], policy: policy)
            }
            let dimensions = [("store", store.url)]
            func count(_ label: String) throws -> Int64 { try metrics.expectCounter(label, dimensions).totalValue }
            func gauge(_ label: String) throws -> Double? { try metrics.expectGauge(label, dimensions).lastValue }

            await source.close(upTo: 4)
            _ = try await uploader.uploadOnce()
            await source.close(upTo: 6)
            _ = try await uploader.uploadOnce()
            #expect(try count("indelible_digest_uploads_total") == 3)
            #expect(try count("indelible_digest_upload_failures_total") == 0)
            #expect(try gauge("indelible_digest_last_block") == 6)
            #expect(try gauge("indelible_digest_blocks_behind") == 0)
            #expect(try gauge("indelible_digest_seconds_behind") == 0)

            // A file stands where the store was: nothing can be stored any more.
            try FileManager.default.moveItem(atPath: path, toPath: "\(path).away")
            try Data().write(to: URL(filePath: path))
            await source.close(upTo: 8)
            _ = try await uploader.uploadOnce()
            try await Task.sleep(for: .milliseconds(20))
            _ = try await uploader.uploadOnce()
            #expect(try count("indelible_digest_upload_failures_total") >= 2)
            #expect(try count("indelible_digest_uploads_total") == 3)
            #expect(try gauge("indelible_digest_blocks_behind") == 2)
            #expect(try gauge("indelible_digest_seconds_behind") ?? 0 >= 0.02)

            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.moveItem(atPath: "\(path).away", toPath: path)
            try await Task.sleep(for: .milliseconds(20))
            _ = try await uploader.uploadOnce()
            #expect(try count("indelible_digest_uploads_total") == 5)
            #expect(try gauge("indelible_digest_last_block") == 8)
            #expect(try gauge("indelible_digest_blocks_behind") == 0)
        }
    }
}
