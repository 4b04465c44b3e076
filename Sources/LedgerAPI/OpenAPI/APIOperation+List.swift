extension APIOperation {
    private static let version = Parameter.query(
        "api-version", "One of the known versions; absent: the newest stable one.")
    private static let collection = Parameter.query(
        "collectionId", "The collection; absent: subledger:0 unless stated.")
    private static let limit = Parameter.query("limit", "The most items of one page, 1 to 1000.", type: "integer")
    private static let cursor = Parameter.query("cursor", "From a nextLink; it carries the other parameters.")
    private static let transaction = Parameter.path("transactionId", "view.seqno, for example 2.15.")
    private static let user = Parameter.path("userId", "A certificate fingerprint or the user id of a token.")
    private static let ledger = Parameter.path("ledgerId", "The ledger's name.")
    private static let node = Parameter.path("nodeId", "64 hexadecimal digits.")
    private static let file = Parameter.path("name", "The name of a committed file.")
    private static let since = Parameter.query("since", "A sequence number.", type: "integer")
    private static let roleName = Parameter.query("roleName", "One role.")

    /// Every operation that is offered. The test of the server compares this with its routes, both ways.
    public static let all: [APIOperation] =
        transactions + collections + users + roles + governance + common("/app") + common("/node") + nodes + files
        + rest

    private static let transactions: [APIOperation] = [
        APIOperation(
            "POST", "/app/transactions", "Transactions",
            "Appends an entry. Answered once it is committed, or as accepted after a bounded wait.",
            [
                version, collection,
                .query("tags", "Up to 5 tags of 1 to 64 characters and at most 256 UTF-8 bytes, joined by commas."),
                .query("waitForCommit", "Answer with the receipt.", type: "boolean"),
            ], request: .json("CreateEntry"), answer: .json("CreateResult"), action: "transactions/write"),
        APIOperation(
            "GET", "/app/transactions", "Transactions", "A range of one collection, ascending, bounds inclusive.",
            [
                version, collection, .query("fromTransactionId", "Lower bound."),
                .query("toTransactionId", "Upper bound; the first page fixes it for the following ones."),
                .query("tag", "Only entries with this tag."), .query("author", "Only entries of this user id."),
                .query("fromTime", "RFC 3339."), .query("toTime", "RFC 3339."), limit, cursor,
            ], answer: .json("EntryPage"), action: "transactions/read"),
        APIOperation(
            "GET", "/app/transactions/current", "Transactions", "The last entry of a collection.",
            [version, collection],
            answer: .json("Entry"), action: "transactions/read"),
        APIOperation(
            "GET", "/app/transactions/{transactionId}", "Transactions",
            "The entry a transaction wrote; without collectionId in whatever collection.",
            [transaction, version, collection], answer: .json("EntryResult"), action: "transactions/read"),
        APIOperation(
            "GET", "/app/transactions/{transactionId}/status", "Transactions", "Pending or Committed.",
            [transaction, version], answer: .json("Status"), action: "transactions/read"),
        APIOperation(
            "GET", "/app/transactions/{transactionId}/receipt", "Transactions",
            "The receipt with its application claims; with accept: application/cose the COSE form.",
            [transaction, version], answer: .jsonOrCOSE("ReceiptResult"), action: "transactions/read"),
        APIOperation(
            "GET", "/app/transactions/{transactionId}/receipt/cose", "Transactions", "The receipt in COSE form.",
            [transaction, version], answer: .other("application/cose"), action: "transactions/read"),
    ]

    private static let collections: [APIOperation] = [
        APIOperation(
            "GET", "/app/collections", "Collections", "All collections, ascending.", [version, limit, cursor],
            answer: .json("CollectionPage"), action: "collections/read"),
        APIOperation(
            "GET", "/app/collections/tags", "Collections", "The tags of one collection, or of all.",
            [version, collection, limit, cursor], answer: .json("TagPage"), action: "collections/read"),
    ]

    private static func user(_ base: String, _ word: String, _ page: String) -> [APIOperation] {
        [
            APIOperation(
                "GET", base, "Users", "All users, ascending.", [version, limit, cursor], answer: .json(page),
                action: "users/read"),
            APIOperation(
                "GET", base + "/{userId}", "Users", "One user.", [user, version], answer: .json(word),
                action: "users/read"),
            APIOperation(
                "PATCH", base + "/{userId}", "Users", "Creates or replaces a user.", [user, version],
                request: .json(word), answer: .json(word), action: "users/write"),
            APIOperation(
                "DELETE", base + "/{userId}", "Users", "Removes a user; also succeeds when there is none.",
                [user, version], status: 204, action: "users/delete"),
        ]
    }

    private static let users =
        user("/app/users", "User", "UserPage")
        + user("/app/ledgerUsers", "LedgerUser", "LedgerUserPage")

    private static let roles: [APIOperation] = [
        APIOperation(
            "GET", "/app/roles", "Roles", "One role, or all custom roles. The shape follows api-version.",
            [version, roleName], answer: .json("RoleList"), action: "roles/read"),
        APIOperation(
            "PUT", "/app/roles", "Roles", "Creates roles, all or none.", [version], request: .json("Roles"),
            answer: .json("Roles"), action: "roles/write"),
        APIOperation(
            "PATCH", "/app/roles", "Roles", "Replaces the actions of roles, all or none.", [version],
            request: .json("Roles"), answer: .json("Roles"), action: "roles/write"),
        APIOperation(
            "DELETE", "/app/roles", "Roles", "Removes a role; 204 from 2026-07-31-preview on.",
            [version, .query("roleName", "The role.", required: true)], action: "roles/delete",
            otherStatuses: [204: "The same, from 2026-07-31-preview on."]),
    ]

    private static let governance: [APIOperation] = [
        APIOperation(
            "GET", "/app/governance/constitution", "Governance", "The constitution and its digest.", [version],
            answer: .json("Constitution"), action: "governance/read"),
        APIOperation(
            "GET", "/app/governance/members", "Governance", "The members of the consortium.", [version],
            answer: .json("MemberPage"), action: "governance/read"),
        APIOperation(
            "GET", "/app/enclaveQuotes", "Governance", "Evidence of what the node runs on.", [version],
            answer: .json("EnclaveQuotes"), action: "enclaveQuotes/read"),
    ]

    private static func common(_ prefix: String) -> [APIOperation] {
        let id = Parameter.query("transaction_id", "view.seqno.", required: true)
        return [
            APIOperation(
                "GET", prefix + "/commit", "Framework", "The newest committed transaction.",
                [
                    .query("view_history", "Add the first transaction of each view.", type: "boolean"),
                    .query("view_history_since", "The same from this view on.", type: "integer"),
                ], answer: .json("Commit")),
            APIOperation(
                "GET", prefix + "/tx", "Framework", "The status of a transaction.", [id],
                answer: .json("TransactionStatus")),
            APIOperation(
                "GET", prefix + "/receipt", "Framework", "A receipt in the framework's shape, or in COSE form.", [id],
                answer: .jsonOrCOSE("FrameworkReceipt")),
            APIOperation("GET", prefix + "/api", "Framework", "This document.", answer: .json("Object")),
        ]
    }

    private static func info(
        _ path: String, _ summary: String, _ parameters: [Parameter] = [], method: String = "GET", status: Int = 200,
        answer: Body = .json("Object")
    ) -> APIOperation {
        APIOperation(method, path, "Node", summary, parameters, status: status, answer: answer)
    }

    private static let nodes: [APIOperation] = [
        info("/node/state", "The state of this node."),
        info("/node/version", "The version of the software."),
        info("/node/network", "The service: status, certificate, primary."),
        info(
            "/node/network/nodes", "The nodes of the service.",
            [.query("host", "Host name."), .query("port", "Port."), .query("status", "Pending, Trusted or Retired.")]),
        info("/node/network/nodes/self", "This node."),
        info("/node/network/nodes/primary", "The primary."),
        info("/node/network/nodes/{nodeId}", "One node.", [node]),
        info("/node/primary", "200 on the primary.", answer: .none),
        info("/node/primary", "200 on the primary.", method: "HEAD", answer: .none),
        info("/node/config", "Addresses by node."),
        info("/node/consensus", "The state of the consensus."),
        info("/node/quotes", "Quotes of all nodes."),
        info("/node/quotes/self", "The quote of this node."),
        info("/node/attestations", "Attestations of all nodes."),
        info("/node/attestations/self", "The attestation of this node."),
        info("/node/metrics", "Sessions."),
        info("/node/service/configuration", "The configuration of the service."),
        info("/node/self_signed_certificate", "The node's own certificate."),
        APIOperation(
            "GET", "/node/ready/app", "Node", "204 while the node takes writes, else 503.", status: 204,
            otherStatuses: [503: "No write is accepted now."], otherAnswers: [503: .none]),
        info("/node/ready/gov", "204.", status: 204, answer: .none),
    ]

    private static func download(_ method: String) -> [Int: String] {
        var statuses = [304: "The file has the entity tag of if-none-match."]
        if method == "GET" {
            statuses[206] = "The range that was asked for."
            statuses[416] = "The range lies outside the file."
        }
        return statuses
    }

    private static let files: [APIOperation] = ["GET", "HEAD"].flatMap { method in
        [
            APIOperation(
                method, "/node/ledger-chunk", "Files", "Redirects to the committed chunk that holds a sequence number.",
                [since], status: 308, action: "transactions/read"),
            APIOperation(
                method, "/node/ledger-chunk/{name}", "Files", "A committed chunk; ranges, etag and digest as usual.",
                [file],
                answer: .other("application/octet-stream"), action: "transactions/read",
                otherStatuses: download(method)),
            APIOperation(
                method, "/node/snapshot", "Files", "Redirects to the newest committed snapshot.", [since], status: 308,
                action: "transactions/read"),
            APIOperation(
                method, "/node/snapshot/{name}", "Files", "A committed snapshot.", [file],
                answer: .other("application/octet-stream"), action: "transactions/read",
                otherStatuses: download(method)),
        ]
    }

    private static let rest: [APIOperation] = [
        APIOperation(
            "GET", "/ledgerIdentity/{ledgerId}", "Identity", "The service certificate to pin.", [ledger, version],
            answer: .json("LedgerIdentity")),
        APIOperation(
            "GET", "/failover/{ledgerId}", "Identity", "Other ledgers to read from: none.", [ledger, version],
            answer: .json("Object")),
        APIOperation(
            "GET", "/health", "Operation", "200 while writes are accepted, else 503.", answer: .json("Object"),
            otherStatuses: [503: "No write is accepted now; the reason is given."], otherAnswers: [503: .json("Object")]
        ),
        APIOperation("GET", "/metrics", "Operation", "Prometheus text.", answer: .other("text/plain")),
    ]
}
