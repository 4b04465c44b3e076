import LedgerAPI

/// The JSON this client reads and writes, where `LedgerAPI` has no word for it. API spec, section A.
enum Wire {
    struct ErrorEnvelope: Decodable {
        struct Body: Decodable {
            var code: String?
            var message: String?
        }
        var error: Body
    }

    struct NewEntry: Encodable { var contents: String }

    struct Created: Decodable {
        var collectionId: String
        var transactionId: String?
        var state: String?
    }

    struct HasReceipt: Decodable {
        struct Anything: Decodable { init(from decoder: any Decoder) throws {} }
        var receipt: Anything?
        var state: String?
    }

    struct EntryResult: Decodable {
        var state: String
        var entry: EntryWord?
    }

    struct EntryPage: Decodable {
        var state: String
        var entries: [EntryWord]
        var nextLink: String?
    }

    struct Status: Decodable {
        var state: String
        var transactionId: String
    }

    struct Collections: Decodable {
        struct Item: Decodable { var collectionId: String }
        var collections: [Item]
        var nextLink: String?
    }

    struct Tags: Decodable {
        var tags: [String]
        var nextLink: String?
    }

    struct User: Codable {
        var userId: String?
        var assignedRoles: [String]
    }

    struct SingleRoleUser: Codable {
        var userId: String?
        var assignedRole: String
    }

    struct Users: Decodable {
        var ledgerUsers: [User]
        var nextLink: String?
    }

    struct RolesBody: Encodable { var roles: [RoleWord] }
    struct RolesAnswer: Decodable { var role: [RoleWord] }

    struct Commit: Decodable {
        // The framework's own spelling (ccf-formats 6.3).
        var transaction_id: String
    }
}
