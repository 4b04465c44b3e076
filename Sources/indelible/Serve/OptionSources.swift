import Configuration
import Foundation

/// Looks an option up in the environment, then in the configuration file. Wrong types and unknown names are
/// errors that name the place, never silently passed over.
struct OptionSources {
    private let environment: EnvironmentVariablesProvider
    private let file: JSONSnapshot?
    private let path: String?

    /// `path`: the file named on the command line; else `INDELIBLE_CONFIG`, else none.
    init(configurationFile path: String?, known: Set<String>) throws {
        let variables = ProcessInfo.processInfo.environment.filter { $0.key.hasPrefix("INDELIBLE_") }
        environment = EnvironmentVariablesProvider(environmentVariables: variables)
        let fromEnvironment = variables["INDELIBLE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        self.path = path ?? fromEnvironment
        guard let path = self.path else {
            file = nil
            return
        }
        let bytes = try InputFile.bytes(path, limit: 1 << 20)
        guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
            throw Failure("\(path): is not a JSON object of options")
        }
        if let unknown = object.keys.sorted().first(where: { !known.contains($0) }) {
            throw Failure("\(path): '\(unknown)' is not an option of serve")
        }
        do {
            file = try JSONSnapshot(data: bytes.span.bytes, providerName: path, parsingOptions: .default)
        } catch {
            throw Failure("\(path): cannot be read as options (\(error))")
        }
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
            if let value = found.value {
                if case .string("") = value.content { return nil }
                return value.content
            }
        } catch {
            throw Failure("\(variable): expected \(Self.words(type))")
        }
        guard let file, let path else { return nil }
        do {
            return try file.value(forKey: AbsoluteConfigKey([name]), type: type).value?.content
        } catch {
            throw Failure("\(path): '\(name)' must be \(Self.words(type))")
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
