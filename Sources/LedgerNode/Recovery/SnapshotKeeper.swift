import Foundation
import LedgerFormat
import LedgerProofs
import Logging
final class SnapshotKeeper: Sendable {
    init(directory: DataDirectory, kept: Int, secret: LedgerSecret, disk: any Disk, inbox: Inbox, reader: HistoricalReader, logger: Logger) {}
    func take(_ state: LedgerState, leaf: Digest32) {}
    func close() {}
    func files() -> [LedgerChunkFile] { [] }
}
struct SnapshotLoader {
    let directory: DataDirectory; let catalog: ChunkCatalog; let keyring: Keyring; let logger: Logger
    func newest() throws -> SnapshotStart? { nil }
}
