// swift-tools-version: 6.1
import PackageDescription

// One list for every target. Warnings become errors in CI by a command-line flag, so that packages that
// depend on this one never inherit the setting.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")

// The layer picture is Documentation/Architecture.md; Tests/LayeringTests holds the allow-list and fails on
// an import that is not in it.
let package = Package(
    name: "indelible",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "indelible", targets: ["indelible"]),
        .library(name: "LedgerProofs", targets: ["LedgerProofs"]),
        .library(name: "LedgerFormat", targets: ["LedgerFormat"]),
        .library(name: "LedgerAPI", targets: ["LedgerAPI"]),
        .library(name: "LedgerNode", targets: ["LedgerNode"]),
        .library(name: "LedgerServer", targets: ["LedgerServer"]),
        .library(name: "LedgerClient", targets: ["LedgerClient"]),
        .library(name: "SQLLedger", targets: ["SQLLedger"]),
        .library(name: "SQLLedgerSQLite", targets: ["SQLLedgerSQLite"]),
        .library(name: "SQLLedgerGRDB", targets: ["SQLLedgerGRDB"]),
        .library(name: "SQLLedgerDigests", targets: ["SQLLedgerDigests"]),
        .library(name: "indelible_sqlite", type: .dynamic, targets: ["SQLLedgerExtension"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // Facts
        .target(name: "CLedgerSHA256"),
        .target(name: "CLedgerGCM"),
        .target(name: "CLedgerEC"),
        .target(
            name: "LedgerProofs", dependencies: ["CLedgerSHA256", "CLedgerEC", crypto, x509, asn1],
            swiftSettings: strict),
        .target(name: "LedgerFormat", dependencies: ["LedgerProofs", "CLedgerGCM", crypto], swiftSettings: strict),
        .target(name: "LedgerAPI", dependencies: ["LedgerProofs"], swiftSettings: strict),
        // Cores
        .target(
            name: "LedgerNode",
            dependencies: [
                "LedgerProofs", "LedgerFormat", crypto, cryptoExtras, x509, asn1, logging, metrics, lifecycle,
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(name: "SQLLedger", dependencies: ["LedgerProofs", crypto], swiftSettings: strict),
        // Edges
        .target(
            name: "LedgerServer",
            dependencies: [
                "LedgerProofs", "LedgerAPI", "LedgerNode", crypto, x509, asn1, logging, metrics, lifecycle,
                nioCore, nioPosix, nioHTTP1, nioHTTP2, nioSSL, nioTLS,
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ],
            swiftSettings: strict),
        .target(
            name: "LedgerClient",
            dependencies: [
                "LedgerProofs", "LedgerAPI", crypto, x509, asn1, logging, nioCore, nioPosix, nioSSL, nioHTTP1,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            swiftSettings: strict),
        // Laws of the engine contract: a library for the tests of engines, in no product.
        .target(name: "SQLLedgerConformance", dependencies: ["LedgerProofs", "SQLLedger"], swiftSettings: strict),
        .target(name: "CSQLiteLedger"),
        .target(
            name: "SQLLedgerSQLite", dependencies: ["LedgerProofs", "SQLLedger", "CSQLiteLedger", crypto],
            swiftSettings: strict),
        .target(
            name: "SQLLedgerExtension", dependencies: ["SQLLedgerSQLite", "CSQLiteLedger"], swiftSettings: strict),
        .target(
            name: "SQLLedgerGRDB",
            dependencies: [
                "LedgerProofs", "SQLLedger", "SQLLedgerSQLite", "CSQLiteLedger",
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(
            name: "SQLLedgerDigests",
            dependencies: ["LedgerProofs", "SQLLedger", "LedgerClient", logging, metrics, lifecycle],
            swiftSettings: strict),
        // Program
        .executableTarget(
            name: "indelible",
            dependencies: [
                "LedgerProofs", "LedgerFormat", "LedgerAPI", "LedgerNode", "LedgerServer", "LedgerClient",
                "SQLLedger", "SQLLedgerSQLite", "SQLLedgerGRDB", "SQLLedgerDigests", logging, lifecycle, signals,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            resources: [.embedInCode("Evidence/verify.html")],
            swiftSettings: strict),
        // Tests
        .testTarget(
            name: "LedgerProofsTests", dependencies: ["LedgerProofs", crypto, x509, asn1], swiftSettings: strict),
        .testTarget(
            name: "LedgerFormatTests", dependencies: ["LedgerFormat", "LedgerProofs", crypto], swiftSettings: strict),
        .testTarget(name: "LedgerAPITests", dependencies: ["LedgerAPI"], swiftSettings: strict),
        .testTarget(
            name: "LedgerNodeTests", dependencies: ["LedgerNode", "LedgerFormat", "LedgerProofs", crypto, logging],
            swiftSettings: strict),
        .testTarget(
            name: "LedgerServerTests",
            dependencies: [
                "LedgerServer", "LedgerAPI", "LedgerNode", "LedgerProofs", crypto, x509, asn1, logging, lifecycle,
                nioCore, nioPosix, nioHTTP1, nioSSL,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                cryptoExtras,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "LedgerClientTests",
            dependencies: [
                "LedgerClient", "LedgerAPI", "LedgerProofs", crypto, x509, asn1, nioCore, nioPosix, nioHTTP1, nioSSL,
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SQLLedgerTests", dependencies: ["SQLLedger", "LedgerProofs", crypto], swiftSettings: strict),
        .testTarget(
            name: "SQLLedgerSQLiteTests",
            dependencies: [
                "SQLLedger", "SQLLedgerConformance", "SQLLedgerSQLite", "SQLLedgerGRDB", "SQLLedgerDigests",
                "LedgerProofs", logging, lifecycle,
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SQLLedgerDigestsTests",
            dependencies: [
                "SQLLedger", "SQLLedgerDigests", "LedgerClient", "LedgerProofs", "LedgerServer", "LedgerNode", crypto,
                x509, asn1, logging, lifecycle, metrics,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        .testTarget(name: "LayeringTests", swiftSettings: strict),
    ]
)
