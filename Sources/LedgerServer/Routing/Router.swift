import HTTPTypes
import LedgerAPI

/// Finds the route of a request. Literal segments win over parameters, so `current` is never an id.
struct Router: Sendable {
    /// A route found, by its index in `routes`.
    enum Match: Sendable {
        case route(Int, parameters: [String])
        /// The path exists with other methods.
        case otherMethods([HTTPRequest.Method])
        case unknown
        /// A segment is not percent-encoded UTF-8.
        case malformed
    }

    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        var parameter: Int?
        /// Path with anything below it, one node deep: `{path…}` is not needed by this service.
        var methods: [(method: HTTPRequest.Method, route: Int)] = []
    }

    let routes: [Route]
    private var nodes: [Node] = [Node()]
    /// Nodes of paths without parameters, by the whole path: the hot ones are found in one step.
    private var whole: [String: Int] = [:]

    /// First segments that are not below `/app`.
    private static let roots: Set<String> = [
        "app", "node", "gov", "ledgerIdentity", "failover", "metrics", "health", "benchmark",
    ]

    init(_ routes: [Route]) {
        self.routes = routes
        for (index, route) in routes.enumerated() {
            var node = 0
            for segment in route.pattern.split(separator: "/") {
                node = child(of: node, String(segment))
            }
            nodes[node].methods.append((route.method, index))
            if !route.pattern.contains("{") { whole[route.pattern] = node }
        }
    }

    private mutating func child(of node: Int, _ segment: String) -> Int {
        if segment.hasPrefix("{") {
            if let known = nodes[node].parameter { return known }
            nodes.append(Node())
            nodes[node].parameter = nodes.count - 1
        } else {
            if let known = nodes[node].literals[segment] { return known }
            nodes.append(Node())
            nodes[node].literals[segment] = nodes.count - 1
        }
        return nodes.count - 1
    }

    /// `path` is the raw path without query. A path outside the known roots is looked up below `/app`
    /// (ccf-formats 6.2). One final slash is ignored.
    func match(_ method: HTTPRequest.Method, _ path: Substring) -> Match {
        if let node = whole[String(path)] { return finish(method, node, []) }
        var segments: [String] = []
        for part in path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true) {
            guard let segment = PercentDecoding.decode(Substring(part)) else { return .malformed }
            segments.append(segment)
            guard segments.count <= 16 else { return .unknown }
        }
        guard let first = segments.first else { return .unknown }
        if !Self.roots.contains(first) { segments.insert("app", at: 0) }
        return walk(method, segments[...], node: 0, parameters: []) ?? .unknown
    }

    private func walk(
        _ method: HTTPRequest.Method, _ segments: ArraySlice<String>, node: Int, parameters: [String]
    ) -> Match? {
        guard let segment = segments.first else {
            return nodes[node].methods.isEmpty ? nil : finish(method, node, parameters)
        }
        let rest = segments.dropFirst()
        if let next = nodes[node].literals[segment],
            let found = walk(method, rest, node: next, parameters: parameters)
        {
            return found
        }
        if let next = nodes[node].parameter {
            return walk(method, rest, node: next, parameters: parameters + [segment])
        }
        return nil
    }

    private func finish(_ method: HTTPRequest.Method, _ node: Int, _ parameters: [String]) -> Match {
        for entry in nodes[node].methods where entry.method == method {
            return .route(entry.route, parameters: parameters)
        }
        return .otherMethods(nodes[node].methods.map(\.method))
    }
}
