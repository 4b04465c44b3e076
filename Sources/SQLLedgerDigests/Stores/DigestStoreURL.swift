import Foundation

/// Where a digest store is. Credentials never stand in it.
public enum DigestStoreURL: Hashable, Sendable {
    /// `file:///absolute/path`: a directory on this machine.
    case directory(path: String)
    /// `https://host[:port][?collection=NAME]`: a collection of a confidential ledger. `collection` `nil`: the one
    /// named for the database (`DigestCollection`).
    case confidentialLedger(endpoint: String, collection: String?)

    /// The schemes that can be opened.
    public static let schemes = ["file", "https"]

    /// No collection id is longer (a server's limit).
    public static let maximumCollectionByteCount = 1024

    /// The same place with `collection` where the URL names none.
    public func naming(_ collection: String?) -> DigestStoreURL {
        guard case .confidentialLedger(let endpoint, nil) = self else { return self }
        return .confidentialLedger(endpoint: endpoint, collection: collection)
    }

    /// Reads a URL.
    /// - Throws: `DigestStoreURLError`, naming the rule that is broken.
    public init(_ text: String) throws(DigestStoreURLError) {
        guard !text.isEmpty else { throw DigestStoreURLError(.malformed, text, "is empty") }
        guard !text.hasPrefix("/"), !text.hasPrefix("."), text.contains(":") else {
            let example = text.hasPrefix("/") ? text : "/directory"
            throw DigestStoreURLError(.malformed, text, "has no scheme; a directory is written file://\(example)")
        }
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased() else {
            throw DigestStoreURLError(.malformed, text, "is not a URL")
        }
        switch scheme {
        case "file": self = .directory(path: try Self.directoryPath(parts, text))
        case "https": self = try Self.ledger(parts, text)
        case "http":
            throw DigestStoreURLError(.unsupportedScheme, text, "a ledger is reached through https only")
        default:
            throw DigestStoreURLError(
                .unsupportedScheme, text,
                "the scheme \(scheme) is not supported; supported are \(Self.schemes.joined(separator: " and "))")
        }
    }

    private static func directoryPath(_ parts: URLComponents, _ text: String) throws(DigestStoreURLError) -> String {
        guard (parts.host ?? "").isEmpty, parts.port == nil, parts.user == nil, parts.password == nil else {
            throw DigestStoreURLError(.malformed, text, "names a host; a directory is written file:///path")
        }
        guard parts.query == nil, parts.fragment == nil else {
            throw DigestStoreURLError(.malformed, text, "a directory has no query and no fragment")
        }
        guard parts.percentEncodedPath.hasPrefix("/"), text.lowercased().hasPrefix("file:///") else {
            throw DigestStoreURLError(.malformed, text, "the path is not absolute; it is written file:///path")
        }
        guard let path = parts.percentEncodedPath.removingPercentEncoding, !path.contains("\0") else {
            throw DigestStoreURLError(.malformed, text, "the path is not percent-encoded UTF-8 without NUL")
        }
        var trimmed = path
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        return trimmed
    }

    private static func ledger(_ parts: URLComponents, _ text: String) throws(DigestStoreURLError) -> DigestStoreURL {
        guard let host = parts.host, !host.isEmpty else {
            throw DigestStoreURLError(.malformed, text, "names no host")
        }
        guard parts.user == nil, parts.password == nil else {
            // Not repeated in the message: it may be a password.
            throw DigestStoreURLError(.malformed, "https://\(host)", "must not hold a user or password")
        }
        guard parts.path.isEmpty || parts.path == "/" else {
            throw DigestStoreURLError(.malformed, text, "has a path; a ledger is https://host:port?collection=NAME")
        }
        guard parts.fragment == nil else { throw DigestStoreURLError(.malformed, text, "has a fragment") }
        if let port = parts.port, !(1...65_535).contains(port) {
            throw DigestStoreURLError(.malformed, text, "the port is not from 1 to 65535")
        }
        var collection: String?
        for item in parts.queryItems ?? [] {
            guard item.name == "collection" else {
                throw DigestStoreURLError(.malformed, text, "has the parameter \(item.name); only collection is known")
            }
            guard collection == nil else { throw DigestStoreURLError(.malformed, text, "names two collections") }
            guard let name = item.value, !name.isEmpty else {
                throw DigestStoreURLError(.malformed, text, "names an empty collection")
            }
            guard name.utf8.count <= maximumCollectionByteCount else {
                throw DigestStoreURLError(
                    .malformed, text, "the collection is longer than \(maximumCollectionByteCount) bytes")
            }
            collection = name
        }
        let port = parts.port.map { ":\($0)" } ?? ""
        return .confidentialLedger(endpoint: "https://\(host)\(port)", collection: collection)
    }
}

extension DigestStoreURL: CustomStringConvertible {
    /// The URL in one spelling, by which locations are compared.
    public var description: String {
        switch self {
        case .directory(let path): "file://\(Self.encode(path, keeping: "/"))"
        case .confidentialLedger(let endpoint, let collection):
            endpoint + (collection.map { "?collection=\(Self.encode($0, keeping: "/"))" } ?? "")
        }
    }

    private static func encode(_ text: String, keeping: String) -> String {
        let unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
        let allowed = CharacterSet(charactersIn: unreserved + keeping)
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}
