import Foundation
import LedgerClient
import LedgerProofs
import SQLLedger
import SQLLedgerDigests

/// A place for digests that lives as long as one test; stores at it can be opened again and again.
struct StorePlace: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case directory
        case confidentialLedger
    }

    var open: @Sendable () throws -> any DigestArchive

    /// A new, empty place of one kind.
    static func with(_ kind: Kind, _ body: @Sendable @escaping (StorePlace) async throws -> Void) async throws {
        switch kind {
        case .directory:
            try await TemporaryDirectory.with { path in
                try await body(StorePlace { DirectoryDigestStore(path: path) })
            }
        case .confidentialLedger:
            try await LedgerFixture.with { ledger in
                let url = try DigestStoreURL("\(ledger.endpoint)?collection=digests/of%20a%20test")
                try await body(StorePlace { try url.open(ledger.options) })
            }
        }
    }

    /// Opens the store and closes it again.
    func use<R: Sendable>(_ body: (any DigestArchive) async throws -> R) async throws -> R {
        let store = try open()
        do {
            let result = try await body(store)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }
}
