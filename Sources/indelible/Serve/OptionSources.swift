import Configuration
import Foundation
import LedgerAPI

/// Looks an option up in the environment, then in the configuration file. Wrong types and unknown names are
/// errors that name the place, never silently passed over.
struct OptionSources {
    private let environment: EnvironmentVariablesProvider
    private let file: JSONValue?
    private let path: String?

    /// `path`: the file named on the command line; else `INDELIBLE_CONFIG`, else none.
    init(configurationFile path: String?, known: Set<String>) throws {
        // A variable that is empty is as good as none.
        let variables = ProcessInfo.processInfo.environment.filter {
            $0.key.hasPrefix("INDELIBLE_") && !$0.value.isEmpty
        }
        environment = EnvironmentVariablesProvider(environmentVariables: variables)
        self.path = path ?? variables["INDELIBLE_CONFIG"]
        guard let path = self.path else {
            file = nil
            return
        }
        let bytes = try InputFile.bytes(path, limit: 1 << 20)
        let value: JSONValue
        do {
            value = try JSONValue(json: bytes)
        } catch {
            throw Failure("\(path): is not a JSON object of options (\(error))")
        }
        guard case .object(let members) = value else { throw Failure("\(path): is not a JSON object of options") }
        if let unknown = members.map(\.0).sorted().first(where: { !known.contains($0) }) {
            throw Failure("\(path): '\(unknown)' is not an option of serve")
        }
        file = value
    }

    func string(_ name: String) throws -> String? {
        guard case .string(let value)? = try look(name, .string) else { return nil }
        return value
    }

    func integer(_ name: String) throws -> Int? {
        guard case .int(let value)? = try look(name, .int) else { return nil }
        return value
    }

    func flag(_ name: String) throws -> Bool? {
        guard case .bool(let value)? = try look(name, .bool) else { return nil }
        return value
    }

    func strings(_ name: String) throws -> [String]? {
        guard case .stringArray(let value)? = try look(name, .stringArray) else { return nil }
        return value.filter { !$0.isEmpty }
    }

    private func look(_ name: String, _ type: ConfigType) throws -> ConfigContent? {
        let variable = "INDELIBLE_" + name.uppercased().replacing("-", with: "_")
        do {
            let found = try environment.value(forKey: AbsoluteConfigKey(["indelible", name]), type: type)
            if let value = found.value { return value.content }
        } catch {
            throw Failure("\(variable): expected \(Self.words(type))")
        }
        guard let path, let value = file?[name] else { return nil }
        guard let content = Self.content(value, type) else {
            throw Failure("\(path): '\(name)' must be \(Self.words(type))")
        }
        return content
    }

    /// `nil`: another type.
    private static func content(_ value: JSONValue, _ type: ConfigType) -> ConfigContent? {
        switch (type, value) {
        case (.string, .string(let text)): return .string(text)
        case (.int, .number(let digits)): return Int(digits).map { .int($0) }
        case (.bool, .bool(let flag)): return .bool(flag)
        case (.stringArray, .array(let values)):
            let texts = values.compactMap(\.stringValue)
            return texts.count == values.count ? .stringArray(texts) : nil
        default: return nil
        }
    }

    private static func words(_ type: ConfigType) -> String {
        switch type {
        case .int: "a whole number"
        case .bool: "true or false"
        case .stringArray: "a list of strings"
        default: "a string"
        }
    }
}
