import Foundation
import Testing

/// The layer picture of Documentation/Architecture.md as a test: what each module may import, who owns each heavy
/// dependency, and a few bans. Fails on any import that is not listed here.
@Suite struct LayeringTests {
    /// Ours and outside packages. `Foundation` and the standard library's own modules are allowed everywhere.
    static let allowed: [String: Set<String>] = [
        "LedgerProofs": ["CLedgerSHA256", "CLedgerEC", "Crypto", "X509", "SwiftASN1"],
        "LedgerFormat": ["CLedgerGCM", "LedgerProofs", "Crypto"],
        "LedgerAPI": ["LedgerProofs"],
        "LedgerNode": [
            "LedgerProofs", "LedgerFormat", "Crypto", "CryptoExtras", "X509", "SwiftASN1", "Logging", "Metrics",
            "ServiceLifecycle", "GRDB", "GRDBSQLite", "SQLite3", "CoreFoundation",
        ],
        "LedgerServer": [
            "LedgerProofs", "LedgerAPI", "LedgerNode", "Crypto", "X509", "SwiftASN1", "Logging", "Metrics",
            "ServiceLifecycle", "NIOCore", "NIOPosix", "NIOHTTP1", "NIOHTTP2", "NIOSSL", "NIOTLS", "NIOHTTPTypes",
            "HTTPTypes", "Hummingbird", "HummingbirdCore", "HummingbirdTLS", "HummingbirdHTTP2", "JWTKit",
        ],
        "LedgerClient": [
            "LedgerProofs", "LedgerAPI", "Crypto", "X509", "SwiftASN1", "Logging", "NIOCore", "NIOPosix", "NIOSSL",
            "NIOHTTP1", "AsyncHTTPClient",
        ],
        "indelible": [
            "LedgerProofs", "LedgerFormat", "LedgerAPI", "LedgerNode", "LedgerServer", "LedgerClient", "Logging",
            "ServiceLifecycle", "UnixSignals", "ArgumentParser", "Configuration", "SQLLedger", "SQLLedgerSQLite",
            "SQLLedgerGRDB", "SQLLedgerDigests",
        ],
        "SQLLedger": ["LedgerProofs", "Crypto"],
        "SQLLedgerConformance": ["LedgerProofs", "SQLLedger"],
        "SQLLedgerSQLite": ["LedgerProofs", "SQLLedger", "CSQLiteLedger", "Crypto"],
        "SQLLedgerExtension": ["SQLLedgerSQLite", "CSQLiteLedger"],
        "SQLLedgerGRDB": ["LedgerProofs", "SQLLedger", "SQLLedgerSQLite", "CSQLiteLedger", "GRDB", "GRDBSQLite"],
        "SQLLedgerDigests": ["LedgerProofs", "SQLLedger", "LedgerClient", "Logging", "Metrics", "ServiceLifecycle"],
    ]

    /// Modules in C. They include nothing of ours.
    static let shims: Set<String> = ["CLedgerSHA256", "CLedgerEC", "CLedgerGCM", "CSQLiteLedger"]

    static let everywhere: Set<String> = [
        "Swift", "Foundation", "FoundationEssentials", "Synchronization", "Dispatch", "Glibc", "Darwin", "Musl",
    ]

    /// One owner for each heavy dependency (prefixes of module names); the door for GRDB is made of GRDB.
    static let owners: [(prefix: String, owners: Set<String>)] = [
        ("Hummingbird", ["LedgerServer"]), ("JWTKit", ["LedgerServer"]), ("GRDB", ["LedgerNode", "SQLLedgerGRDB"]),
        ("SQLite", ["LedgerNode"]), ("AsyncHTTPClient", ["LedgerClient"]), ("ArgumentParser", ["indelible"]),
        ("Configuration", ["indelible"]),
    ]

    @Test func everyModuleIsListed() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Sources.root.path())
        #expect(
            Set(folders) == Set(Self.allowed.keys).union(Self.shims),
            "Sources and the allow-list must name the same modules")
    }

    @Test(arguments: allowed.keys.sorted()) func importsAreAllowed(_ module: String) throws {
        let allowed = try #require(Self.allowed[module]).union(Self.everywhere)
        let files = try Sources.files(of: module)
        #expect(!files.isEmpty)
        for file in files {
            for found in file.imports where !allowed.contains(found.module) {
                Issue.record("\(file.path):\(found.line): \(module) may not import \(found.module)")
            }
        }
    }

    @Test func heavyDependenciesHaveOneOwner() throws {
        for (prefix, owners) in Self.owners {
            for module in Self.allowed.keys where !owners.contains(module) {
                for file in try Sources.files(of: module) {
                    for found in file.imports where found.module.hasPrefix(prefix) {
                        Issue.record(
                            "\(file.path):\(found.line): \(found.module) belongs to \(owners.sorted().joined(separator: ", "))"
                        )
                    }
                }
            }
        }
    }

    /// `@_exported` would smuggle a dependency past the importer's own list; `@testable` belongs into tests.
    @Test(arguments: allowed.keys.sorted()) func importsHaveNoAttributesThatWiden(_ module: String) throws {
        for file in try Sources.files(of: module) {
            for found in file.imports {
                for attribute in ["@_exported", "@testable", "@_spi", "@_implementationOnly"]
                where found.text.contains(attribute) {
                    Issue.record("\(file.path):\(found.line): \(attribute) import")
                }
            }
        }
    }

    /// The manifest and the list agree, so that an import that the build would accept is also one we decided on.
    @Test func manifestDeclaresOurModulesAsListed() throws {
        let manifest = try String(contentsOf: Sources.package.appending(path: "Package.swift"), encoding: .utf8)
        let targets = manifest.split(separator: "arget(").dropFirst()
        let ours = Set(Self.allowed.keys)
        for module in ours {
            let block = try #require(
                targets.first { $0.contains("name: \"\(module)\"") && !$0.contains("Tests\"") },
                "Package.swift has no target \(module)")
            let end = block.range(of: "swiftSettings")?.lowerBound ?? block.endIndex
            let declared = Set(ours.filter { $0 != module && block[..<end].contains("\"\($0)\"") })
            #expect(declared == Self.allowed[module]?.intersection(ours), "\(module)")
        }
    }

    @Test(arguments: allowed.keys.sorted()) func filesKeepTheBans(_ module: String) throws {
        for file in try Sources.files(of: module) {
            #expect(file.lines.count <= 600, "\(file.path): \(file.lines.count) lines, at most 600")
            for (number, line) in file.code where line.utf8.contains(UInt8(ascii: "!")) {  // each ban has one
                for ban in Ban.all where line.contains(ban.pattern) {
                    Issue.record("\(file.path):\(number): \(ban.reason)")
                }
            }
        }
    }

    /// The scanner itself: every way in which an import can be written.
    @Test func importsOfEveryFormAreFound() {
        let file = SourceFile(
            path: "x.swift",
            text: """
                import Alpha
                @_exported import Bravo
                @testable public import Charlie
                import struct Delta.Thing
                  internal import Echo.Sub
                #if canImport(Foxtrot)
                import Foxtrot
                #endif
                @preconcurrency import class Golf.Thing
                let a = 1; import Hotel
                // import India
                /* import Juliet */
                let text = "import Kilo"
                """)
        #expect(
            file.imports.map(\.module) == [
                "Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel",
            ])
    }

    @Test func bansFindWhatTheyAreFor() {
        let bad = ["let a = try! f()", "let a = b as! C", "let a = values.first!", "let a = map[k]!", "f()!.x"]
        let good = ["if a != b {", "let a = !b", "f(!x)", "a = x ?? !y", "precondition(a, \"no!\")"]
        for line in bad {
            let code = SourceFile(path: "x", text: line).code.map(\.text).joined()
            #expect(Ban.all.contains { code.contains($0.pattern) }, "\(line)")
        }
        for line in good {
            let code = SourceFile(path: "x", text: line).code.map(\.text).joined()
            #expect(!Ban.all.contains { code.contains($0.pattern) }, "\(line)")
        }
    }
}
