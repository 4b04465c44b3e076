import Foundation
import LedgerFormat
import LedgerProofs

/// What the ledger says at one transaction: the maps, and users and roles read out of them.
struct LedgerState: Sendable, Equatable {
    private(set) var store = KeyValueStore()
    private(set) var users: [ExactText: LedgerUser] = [:]
    private(set) var customRoles: [ExactText: CustomRole] = [:]
    /// The newest transaction that wrote users or roles.
    private(set) var rightsVersion = SequenceNumber.zero
    /// Element *i* is the first seqno of view *i + 1* (as in snapshots); a skipped view repeats the next one's.
    private(set) var viewStarts: [SequenceNumber] = []
    /// The newest transaction applied.
    private(set) var last = TransactionID(view: .initial, seqno: .zero)

    /// The newest transaction with a signature of the service; zero before the first.
    var lastServiceSignature: SequenceNumber { store.maps[.coseSignatures]?.version ?? .zero }

    /// The service was opened: its creation is finished.
    var isOpen: Bool {
        get throws { try store.value(.serviceInfo, zeroKey).map { try ServiceInfo(decoding: $0).status } == .open }
    }

    private struct UserRow: Codable { var assignedRoles: [String] }
    private struct RoleRow: Codable { var roleActions: [String] }

    init() {}

    /// The state a snapshot holds.
    init(store: KeyValueStore, viewStarts: [SequenceNumber], last: TransactionID) throws {
        self.store = store
        self.viewStarts = viewStarts
        self.last = last
        for (key, row) in store.rows(.ledgerUsers) { try setUser(key, row.value) }
        for (key, row) in store.rows(.ledgerRoles) { try setRole(key, row.value) }
        rightsVersion = max(store.maps[.ledgerUsers]?.version ?? .zero, store.maps[.ledgerRoles]?.version ?? .zero)
    }

    /// Applies one transaction. Error: `corrupt` when a row of ours cannot be read.
    mutating func apply(_ writes: [MapWrites], id: TransactionID) throws {
        note(id)
        store.apply(writes, at: id.seqno)
        for map in writes {
            if map.name == .ledgerUsers || map.name == .ledgerRoles { rightsVersion = id.seqno }
            if map.name == .ledgerUsers {
                for write in map.writes { try setUser(write.key, write.value) }
                for key in map.removes { users[ExactText(String(decoding: key, as: UTF8.self))] = nil }
            } else if map.name == .ledgerRoles {
                for write in map.writes { try setRole(write.key, write.value) }
                for key in map.removes { customRoles[ExactText(String(decoding: key, as: UTF8.self))] = nil }
            }
        }
    }

    /// Notes a transaction that changes no small state (an entry).
    mutating func note(_ id: TransactionID) {
        while viewStarts.count < Int(id.view.rawValue) { viewStarts.append(id.seqno) }
        last = id
    }

    private mutating func setUser(_ key: [UInt8], _ value: [UInt8]) throws {
        let id = String(decoding: key, as: UTF8.self)
        do {
            users[ExactText(id)] = LedgerUser(
                userID: id, roles: try JSONDecoder().decode(UserRow.self, from: Data(value)).assignedRoles)
        } catch {
            throw LedgerError(.corrupt, "the stored user \(id) cannot be read", cause: error)
        }
    }

    private mutating func setRole(_ key: [UInt8], _ value: [UInt8]) throws {
        let name = String(decoding: key, as: UTF8.self)
        do {
            customRoles[ExactText(name)] = CustomRole(
                name: name, actions: try JSONDecoder().decode(RoleRow.self, from: Data(value)).roleActions)
        } catch {
            throw LedgerError(.corrupt, "the stored role \(name) cannot be read", cause: error)
        }
    }

    // MARK: Questions

    /// The first transaction of each view that has any, in order. Takes no longer for views that were skipped.
    var viewHistory: [TransactionID] {
        var history: [TransactionID] = []
        var index = 0
        while index < viewStarts.count, let view = view(of: viewStarts[index]) {
            history.append(TransactionID(view: view, seqno: viewStarts[index]))
            index = Int(view.rawValue)
        }
        return history
    }

    /// The view in which `seqno` was written; `nil` for a seqno after the last.
    func view(of seqno: SequenceNumber) -> View? {
        guard seqno > .zero, seqno <= last.seqno else { return nil }
        var low = 0
        var high = viewStarts.count
        while low < high {
            let middle = (low + high) / 2
            if viewStarts[middle] <= seqno { low = middle + 1 } else { high = middle }
        }
        return View(UInt32(low))
    }

    /// ccf-formats 6.1, as far as committed transactions tell: what is not among them yet is unknown.
    func status(of id: TransactionID) -> TransactionStatus {
        if let view = view(of: id.seqno) { return view == id.view ? .committed : .invalid }
        return last.view > id.view ? .invalid : .unknown
    }

    func authorize(_ identity: Identity, _ action: LedgerAction) -> AuthorizationDecision {
        guard let user = users[ExactText(identity.userID)] else { return .unknownUser }
        for role in user.roles {
            if let builtIn = BuiltInRole(name: role) {
                if builtIn.allows(action) { return .allowed }
            } else if let custom = customRoles[ExactText(role)] {
                if custom.actions.contains(where: { action.isCovered(by: $0) }) { return .allowed }
            }
        }
        return .missingAction(roles: user.roles)
    }

    private func isAdministrator(_ user: LedgerUser) -> Bool {
        user.roles.contains { BuiltInRole(name: $0) == .administrator }
    }

    // MARK: Changes (each returns the writes that make it, or throws)

    static let userIDByteCountLimit = 256
    static let roleNameByteCountLimit = 128

    /// Built-in role names are normalised; custom ones must exist.
    func normalised(_ user: LedgerUser) throws -> LedgerUser {
        let id = user.userID
        guard !id.isEmpty, id.utf8.count <= Self.userIDByteCountLimit, id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else {
            throw LedgerError(
                .invalidInput,
                "user id: 1 to \(Self.userIDByteCountLimit) printable ASCII characters without spaces are required")
        }
        guard !user.roles.isEmpty, user.roles.count <= LedgerUser.roleLimit else {
            throw LedgerError(.invalidInput, "assigned roles: 1 to \(LedgerUser.roleLimit) roles are required")
        }
        var roles: [String] = []
        for name in user.roles {
            let role: String
            if let builtIn = BuiltInRole(name: name) {
                role = builtIn.rawValue
            } else if customRoles[ExactText(name)] != nil {
                role = name
            } else {
                throw LedgerError(
                    .roleNotFound,
                    "role \(name) does not exist; built-in roles are Reader, Contributor and Administrator")
            }
            if !roles.containsExactly(role) { roles.append(role) }
        }
        return LedgerUser(userID: id, roles: roles)
    }

    func writesToSet(_ user: LedgerUser) throws -> (LedgerUser, WriteSet) {
        let user = try normalised(user)
        if !isAdministrator(user) { try protectLastAdministrator(user.userID) }
        var writes = WriteSet()
        writes.put(.ledgerUsers, key: Array(user.userID.utf8), value: try Self.json(UserRow(assignedRoles: user.roles)))
        return (user, writes)
    }

    /// `nil` when there is no such user.
    func writesToRemoveUser(_ id: String) throws -> WriteSet? {
        guard users[ExactText(id)] != nil else { return nil }
        try protectLastAdministrator(id)
        var writes = WriteSet()
        writes.remove(.ledgerUsers, key: Array(id.utf8))
        return writes
    }

    private func protectLastAdministrator(_ id: String) throws {
        guard let user = users[ExactText(id)], isAdministrator(user) else { return }
        guard users.values.contains(where: { !ExactText.same($0.userID, id) && isAdministrator($0) }) else {
            throw LedgerError(
                .lastAdministrator,
                "\(id) is the last administrator; make another user administrator before changing this one")
        }
    }

    func writesToSetRoles(_ roles: [CustomRole], mustExist: Bool) throws -> WriteSet {
        guard !roles.isEmpty else { throw LedgerError(.invalidInput, "roles: at least one role is required") }
        var writes = WriteSet()
        var names: Set<ExactText> = []
        for role in roles {
            guard !role.name.isEmpty, role.name.utf8.count <= Self.roleNameByteCountLimit,
                role.name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else {
                throw LedgerError(
                    .invalidInput, "role name: 1 to \(Self.roleNameByteCountLimit) bytes without control characters")
            }
            guard names.insert(ExactText(role.name)).inserted else {
                throw LedgerError(.invalidInput, "role \(role.name) is named twice")
            }
            guard role.actions.count <= CustomRole.actionLimit,
                role.actions.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 256 })
            else {
                throw LedgerError(
                    .invalidInput,
                    "role \(role.name): at most \(CustomRole.actionLimit) actions of 1 to 256 bytes are allowed")
            }
            if BuiltInRole(name: role.name) != nil {
                throw LedgerError(.roleExists, "\(role.name) is a built-in role and cannot be changed")
            }
            if mustExist, customRoles[ExactText(role.name)] == nil {
                throw LedgerError(.roleNotFound, "role \(role.name) does not exist")
            }
            if !mustExist, customRoles[ExactText(role.name)] != nil {
                throw LedgerError(.roleExists, "role \(role.name) exists already")
            }
        }
        // Encoded when nothing can be refused any more: all writers wait for this.
        for role in roles {
            writes.put(
                .ledgerRoles, key: Array(role.name.utf8), value: try Self.json(RoleRow(roleActions: role.actions)))
        }
        return writes
    }

    func writesToRemoveRole(_ name: String) throws -> WriteSet {
        if let builtIn = BuiltInRole(name: name) {
            throw LedgerError(.roleInUse, "\(builtIn.rawValue) is a built-in role and cannot be removed")
        }
        guard customRoles[ExactText(name)] != nil else {
            throw LedgerError(.roleNotFound, "role \(name) does not exist")
        }
        let holders = users.values.filter { $0.roles.containsExactly(name) }
        if let holder = holders.map(\.userID).min() {
            throw LedgerError(.roleInUse, "role \(name) is still assigned to user \(holder)")
        }
        var writes = WriteSet()
        writes.remove(.ledgerRoles, key: Array(name.utf8))
        return writes
    }

    private static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}
