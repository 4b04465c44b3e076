import ArgumentParser
import Foundation
import SQLLedger
import SQLLedgerDigests

/// Digest stores, and as whom to talk to those that are ledgers.
struct StoreOptions: ParsableArguments {
    @Option(
        name: .customLong("store"),
        help: ArgumentHelp(
            "A digest store: file:///DIR or https://LEDGER?collection=NAME. Repeatable. (env INDELIBLE_STORES, separated by spaces)",
            valueName: "url"))
    var given: [String] = []

    @OptionGroup var credentials: CredentialOptions

    /// The named stores, else those of the environment.
    var urls: [String] {
        if !given.isEmpty { return given }
        let environment = ProcessInfo.processInfo.environment["INDELIBLE_STORES", default: ""]
        return environment.split(separator: " ").map(String.init)
    }

    /// The directories among them.
    var folders: [String] {
        urls.compactMap { if case .directory(let path) = try? DigestStoreURL($0) { path } else { nil } }
    }

    /// Opens the stores for the time of `body`. `collection` is for a ledger whose URL names none.
    func withStores<R>(
        _ urls: [String], collection: String?, _ body: ([any DigestArchive]) async throws -> R
    ) async throws -> R {
        var options = DigestStoreOptions()
        let files = credentials.files
        let places = try urls.map { try DigestStoreURL($0) }
        let isRemote = places.contains { if case .confidentialLedger = $0 { true } else { false } }
        if isRemote {
            options.serviceCertificatePEM = try files.serviceCertificatePEM()
            if let credential = try files.credential() { options.credential = credential }
            options.defaultCollection = collection
        }
        var opened: [any DigestArchive] = []
        do {
            for place in places { opened.append(try place.open(options)) }
            let result = try await body(opened)
            for store in opened { await store.close() }
            return result
        } catch {
            for store in opened { await store.close() }
            throw error
        }
    }
}
