import Foundation
import LedgerClient
import LedgerNode
import Logging

/// Every option of `serve` after command line, environment, file and defaults were put together and checked.
struct ServeSettings {
    static let optionNames: Set<String> = [
        "data", "listen", "name", "ledger-type", "admin-certificate", "san", "sealing-key", "sealing-passphrase-file",
        "oidc-issuer", "oidc-audience", "oidc-user-claim", "oidc-certificate-authority", "entra-tenant",
        "verify-on-start", "anonymous-governance", "max-body-size", "chunk-size", "snapshot-interval", "log-level",
        "log-format", "benchmark-route",
    ]

    var node: NodeConfiguration
    var host: String
    var port: Int
    var maxBodySize: Int
    var oidcIssuers: [String]
    var oidcAudiences: [String]
    var oidcUserClaim: String?
    var oidcAuthority: (path: String, pem: String)?
    var entraTenant: String?
    var anonymousGovernance: Bool
    var benchmarkRoute: Bool
    var logLevel: Logger.Level
    var logsJSON: Bool

    init(_ flags: Serve) throws {
        let more = try OptionSources(configurationFile: flags.config, known: Self.optionNames)
        guard let data = try flags.data ?? more.string("data") else {
            throw Failure("no data directory: give --data DIR")
        }
        guard !data.isEmpty else { throw Failure("--data: is empty; name a directory") }
        node = NodeConfiguration(directory: data)
        (host, port) = try Self.address(try flags.listen ?? more.string("listen") ?? "127.0.0.1:8443")
        node.publishedAddress = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        if let name = try flags.name ?? more.string("name") { node.name = name }
        if let type = try flags.ledgerType ?? more.string("ledger-type") {
            guard let known = NodeConfiguration.LedgerType(rawValue: type) else {
                throw Failure("--ledger-type: '\(type)' is neither public nor private")
            }
            node.ledgerType = known
        }
        let administrators =
            flags.adminCertificates.isEmpty
            ? try more.strings("admin-certificate") ?? [] : flags.adminCertificates
        node.administratorCertificates = try administrators.map { path in
            let pem = try InputFile.smallText(path)
            guard (try? NodeConfiguration.userID(certificatePEM: pem)) != nil else {
                throw Failure("--admin-certificate: \(path): is not a PEM certificate")
            }
            guard pem.ranges(of: "-----BEGIN CERTIFICATE-----").count == 1 else {
                throw Failure("--admin-certificate: \(path): holds more than one certificate; name a file for each")
            }
            return pem
        }
        node.subjectAlternativeNames = flags.sans.isEmpty ? try more.strings("san") ?? [] : flags.sans
        let sealingKey = try flags.sealingKey ?? more.string("sealing-key")
        let passphrase = try flags.sealingPassphraseFile ?? more.string("sealing-passphrase-file")
        node.sealing = try SealingOptions.sealing(keyFile: sealingKey, passphraseFile: passphrase)
        node.verifyOnStart = try flags.verifyOnStart ? true : more.flag("verify-on-start") ?? false
        if let size = try flags.chunkSize ?? more.integer("chunk-size") {
            node.chunkByteCount = UInt64(try Self.checked(size, 4_096...1 << 30, "--chunk-size"))
        }
        if let count = try flags.snapshotInterval ?? more.integer("snapshot-interval") {
            node.snapshotInterval = UInt64(try Self.checked(count, 10...Int.max, "--snapshot-interval"))
        }
        maxBodySize = try Self.checked(
            try flags.maxBodySize ?? more.integer("max-body-size") ?? 1 << 20, 1_024...256 << 20, "--max-body-size")
        oidcIssuers = flags.oidcIssuers.isEmpty ? try more.strings("oidc-issuer") ?? [] : flags.oidcIssuers
        for issuer in oidcIssuers { try Self.checkIssuer(issuer) }
        oidcAudiences = flags.oidcAudiences.isEmpty ? try more.strings("oidc-audience") ?? [] : flags.oidcAudiences
        guard !oidcAudiences.contains("") else { throw Failure("--oidc-audience: is empty; name an audience") }
        oidcUserClaim = try flags.oidcUserClaim ?? more.string("oidc-user-claim")
        guard oidcUserClaim != "" else { throw Failure("--oidc-user-claim: is empty; name a claim") }
        let authority = try flags.oidcCertificateAuthority ?? more.string("oidc-certificate-authority")
        oidcAuthority = try authority.map { ($0, try InputFile.smallText($0)) }
        entraTenant = try flags.entraTenant ?? more.string("entra-tenant")
        if let entraTenant { try Self.checkTenant(entraTenant) }
        anonymousGovernance = try flags.anonymousGovernance ? true : more.flag("anonymous-governance") ?? false
        benchmarkRoute = try flags.benchmarkRoute ? true : more.flag("benchmark-route") ?? false
        let level = try flags.logLevel ?? more.string("log-level") ?? "notice"
        guard let known = Logger.Level(rawValue: level) else {
            throw Failure(
                "--log-level: '\(level)' is none of trace, debug, info, notice, warning, error, critical")
        }
        logLevel = known
        let format = try flags.logFormat ?? more.string("log-format") ?? "text"
        guard format == "text" || format == "json" else {
            throw Failure("--log-format: '\(format)' is neither text nor json")
        }
        logsJSON = format == "json"
    }

    /// Whoever can change what an issuer's address answers can make tokens: https, or http on this machine.
    private static func checkIssuer(_ issuer: String) throws {
        let parts = URLComponents(string: issuer)
        let host = parts?.host ?? ""
        let isLocal = ["127.0.0.1", "[::1]", "::1", "localhost"].contains(host)
        guard !host.isEmpty, parts?.scheme == "https" || (parts?.scheme == "http" && isLocal) else {
            throw Failure("--oidc-issuer: '\(issuer)' is not an https address (http only on this machine)")
        }
        guard WebFetcher.isPort(parts?.port) else {
            throw Failure("--oidc-issuer: '\(issuer)': the port must be 1 to 65535")
        }
        guard parts?.query == nil, parts?.fragment == nil, parts?.user == nil else {
            throw Failure("--oidc-issuer: '\(issuer)': must have no user, query or fragment")
        }
    }

    /// A tenant becomes a part of issuers' addresses.
    private static func checkTenant(_ tenant: String) throws {
        let isName = tenant.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isName, !tenant.isEmpty, !tenant.hasPrefix("."), tenant.utf8.count <= 253 else {
            throw Failure("--entra-tenant: '\(tenant)' is neither a tenant id nor a domain name")
        }
    }

    /// `host:port`, `[v6]:port`.
    static func address(_ text: String) throws -> (host: String, port: Int) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw Failure("--listen: '\(text)' is not of the form host:port")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw Failure("--listen: '\(text)': write an IPv6 address in brackets, [::1]:8443")
        }
        guard !host.isEmpty else { throw Failure("--listen: '\(text)' names no host") }
        guard host != "*" else {
            throw Failure("--listen: '\(text)': write 0.0.0.0:\(port) or [::]:\(port) for all addresses")
        }
        return (String(host), Int(port))
    }

    private static func checked(_ value: Int, _ range: ClosedRange<Int>, _ name: String) throws -> Int {
        guard range.contains(value) else {
            let limit =
                range.upperBound == .max ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
            throw Failure("\(name): \(value) is not \(limit)")
        }
        return value
    }
}
