import Foundation

/// What was fixed when the directory was created: `DIR/node.json`.
struct NodeSettings: Codable, Sendable {
    static let format = "indelible-node/1"

    var format: String
    var name: String
    var type: String
    /// The service was opened: from then on a directory without its ledger has lost it. Missing in directories of older
    /// programs until their next start, and while a ledger is being created.
    var created: Bool?

    init(name: String, ledgerType: NodeConfiguration.LedgerType) {
        format = Self.format
        self.name = name
        type = ledgerType.rawValue
    }

    var ledgerType: NodeConfiguration.LedgerType { NodeConfiguration.LedgerType(rawValue: type) ?? .private }

    /// `nil` when the file does not exist yet. Error: `invalidInput`.
    static func read(_ path: String) throws -> NodeSettings? {
        guard let bytes = try DurableFile.read(path, limit: 65_536) else { return nil }
        do {
            let settings = try JSONDecoder().decode(NodeSettings.self, from: Data(bytes))
            guard settings.format == format, NodeConfiguration.LedgerType(rawValue: settings.type) != nil else {
                throw LedgerError(.invalidInput, "\(path): format or ledger type is not known")
            }
            return settings
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(.invalidInput, "\(path) cannot be read", cause: error)
        }
    }

    func write(_ path: String, disk: any Disk) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        try DurableFile.write(Array(try encoder.encode(self)) + [0x0A], to: path, disk: disk)
    }
}
