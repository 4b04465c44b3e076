import LedgerProofs
import Synchronization
import Testing

@testable import LedgerNode

@Suite struct UserTests {
    private func withLedger(_ body: (Ledger) async throws -> Void) async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(configuration(directory), logger: quiet)
        try await body(ledger)
        await ledger.close()
        withExtendedLifetime(directory) {}
    }

    @Test(
        arguments: [
            ("*", LedgerAction.allCases), ("/*", LedgerAction.allCases), ("/app/*", LedgerAction.allCases),
            ("Microsoft.ConfidentialLedger/ledger/*", LedgerAction.allCases),
            ("/users/*", [.readUsers, .writeUsers, .deleteUsers]),
            ("/app/ledgerUsers/patch", [.writeUsers]), ("/roles/put", [.writeRoles]),
            ("Microsoft.ConfidentialLedger/ledger/roles/*", [.readRoles, .writeRoles, .deleteRoles]),
            ("Microsoft.ConfidentialLedger/ledger/transactions/read", [.readTransactions]),
            ("", []), ("/", []), ("/use*", []), ("users/*", []), ("/users/get/*", []), ("/users/g*", []),
            ("/USERS/*", []),
            ("/users/", []), ("/users/get ", []), ("**", []), ("/app/app/*", []),
        ] as [(String, [LedgerAction])])
    func whatAnEntryOfAnActionListCovers(_ entry: String, _ actions: [LedgerAction]) {
        #expect(LedgerAction.covered(by: entry) == Set(actions))
        for action in LedgerAction.allCases { #expect(action.isCovered(by: entry) == actions.contains(action)) }
    }

    @Test func theLastAdministratorStays() async throws {
        try await withLedger { ledger in
            let first = try #require(ledger.users(after: nil, limit: 10).first)
            await #expect(throws: LedgerError(.lastAdministrator, "")) { try await ledger.removeUser(first.userID) }
            await #expect(throws: LedgerError(.lastAdministrator, "")) {
                try await ledger.setUser(LedgerUser(userID: first.userID, roles: ["Reader"]))
            }
            _ = try await ledger.setUser(LedgerUser(userID: "second", roles: ["administrator"]))
            #expect(ledger.user("second")?.roles == ["Administrator"])
            // Both removals race; exactly one may win.
            async let a = Result { try await ledger.removeUser(first.userID) }
            async let b = Result { try await ledger.removeUser("second") }
            let outcomes = await [a, b]
            #expect(outcomes.filter { (try? $0.get()) != nil }.count == 1)
            #expect(ledger.users(after: nil, limit: 10).count == 1)
        }
    }

    /// Rights are asked for again where a write gets its place: here both writes come while the removal is being written.
    @Test(.timeLimit(.minutes(2))) func whoIsRemovedWritesNothingAfterIt() async throws {
        let directory = TemporaryDirectory()
        let disk = GatedDisk()
        let ledger = try await Ledger.open(configuration(directory), disk: disk, logger: quiet)
        _ = try await ledger.setUser(LedgerUser(userID: "alice", roles: ["Administrator"]))
        /// Who was found allowed.
        final class Found: Sendable {
            let names = Mutex<Set<String>>([])
        }
        let found = Found()
        func mayWrite(_ name: String) -> RightsCheck {
            { rights in
                guard rights.authorize(alice, .writeTransactions) == .allowed else {
                    throw LedgerError(.notAllowed, "")
                }
                found.names.withLock { _ = $0.insert(name) }
            }
        }
        _ = try await ledger.append(AppendRequest(contents: "before", author: alice), allowed: mayWrite("before"))
        disk.arm(.write, fails: false)
        async let removal = ledger.removeUser("alice")
        try await until("the removal is held") { disk.holds }
        #expect(ledger.user("alice") != nil)
        async let entry = Result {
            try await ledger.append(AppendRequest(contents: "x", author: alice), allowed: mayWrite("entry"))
        }
        async let user = Result {
            try await ledger.setUser(LedgerUser(userID: "y", roles: ["Reader"]), allowed: mayWrite("user"))
        }
        try await until("both are allowed as things stand") { found.names.withLock { $0.count == 3 } }
        disk.release()
        #expect(try await removal != nil)
        let (entryResult, userResult) = await (entry, user)
        #expect(throws: LedgerError(.notAllowed, "")) { _ = try entryResult.get() }
        #expect(throws: LedgerError(.notAllowed, "")) { _ = try userResult.get() }
        #expect(ledger.user("y") == nil)
        #expect(try await ledger.entries(EntryQuery()).entries.map(\.contents) == ["before"])
        await ledger.close()
    }

    @Test func customRolesAreEnforced() async throws {
        try await withLedger { ledger in
            let trader = Identity(userID: "t", method: .token)
            #expect(ledger.authorize(trader, .readTransactions) == .unknownUser)
            await #expect(throws: LedgerError(.roleNotFound, "")) {
                try await ledger.setUser(LedgerUser(userID: "t", roles: ["trader"]))
            }
            _ = try await ledger.createRoles([CustomRole(name: "trader", actions: ["/transactions/post"])])
            await #expect(throws: LedgerError(.roleExists, "")) {
                try await ledger.createRoles([CustomRole(name: "trader", actions: [])])
            }
            await #expect(throws: LedgerError(.roleExists, "")) {
                try await ledger.createRoles([CustomRole(name: "READER", actions: [])])
            }
            _ = try await ledger.setUser(LedgerUser(userID: "t", roles: ["trader"]))
            #expect(ledger.authorize(trader, .writeTransactions) == .allowed)
            #expect(ledger.authorize(trader, .readTransactions) == .missingAction(roles: ["trader"]))
            _ = try await ledger.updateRoles([
                CustomRole(name: "trader", actions: ["Microsoft.ConfidentialLedger/ledger/transactions/*"])
            ])
            #expect(ledger.authorize(trader, .readTransactions) == .allowed)
            #expect(ledger.authorize(trader, .readUsers) == .missingAction(roles: ["trader"]))
            await #expect(throws: LedgerError(.roleInUse, "")) { try await ledger.removeRole("trader") }
            _ = try await ledger.removeUser("t")
            _ = try await ledger.removeRole("trader")
            #expect(ledger.authorize(trader, .readTransactions) == .unknownUser)
            #expect(try await ledger.removeUser("nobody") == nil)
        }
    }

    @Test func aRepeatedRequestIsTheSameWriteAlsoAfterARestart() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(configuration(directory), logger: quiet)
        let request = AppendRequest(contents: "once", author: alice, requestID: "r1")
        let first = try await ledger.append(request)
        #expect(try await ledger.append(request) == first)
        var other = request
        other.contents = "twice"
        #expect(try await ledger.append(other) != first)
        await ledger.close()
        ledger = try await Ledger.open(configuration(directory) { $0.verifyOnStart = true }, logger: quiet)
        #expect(try await ledger.append(request) == first)
        #expect(try await ledger.entries(EntryQuery()).entries.count == 2)
        await ledger.close()
    }

    @Test func limitsOfAnEntry() async throws {
        try await withLedger { ledger in
            for (collection, tags) in [
                ("", []), (String(repeating: "c", count: 1_025), []), ("a\0b", []),
                ("c", ["1", "2", "3", "4", "5", "6"]),
                ("c", [""]), ("c", ["a,b"]), ("c", [String(repeating: "t", count: 65)]),
            ] as [(String, [String])] {
                await #expect(throws: LedgerError(.invalidInput, "")) {
                    try await ledger.append(
                        AppendRequest(contents: "x", collectionID: collection, tags: tags, author: alice))
                }
            }
            let before = ledger.committed
            let later = TransactionID(view: before.view, seqno: before.seqno.next)
            let otherView = TransactionID(view: View(9), seqno: before.seqno)
            var statuses: [TransactionStatus] = []
            for id in [before, later, otherView] { statuses.append(try await ledger.status(of: id)) }
            #expect(statuses == [.committed, .unknown, .invalid])
        }
    }

    @Test func concurrentWritersShareBatchesAndEveryReceiptVerifies() async throws {
        try await withLedger { ledger in
            let ids = try await withThrowingTaskGroup(of: (Int, TransactionID).self) { group in
                for number in 0..<200 {
                    group.addTask {
                        (
                            number,
                            try await ledger.append(
                                AppendRequest(contents: "c\(number)", collectionID: "c\(number % 7)", author: alice)
                            ).transactionID
                        )
                    }
                }
                return try await group.reduce(into: [Int: TransactionID]()) { $0[$1.0] = $1.1 }
            }
            #expect(Set(ids.values).count == 200)
            for (number, id) in ids { try await expectReceipt(ledger, id, contents: "c\(number)") }
            #expect(try await ledger.collections(after: nil, limit: 10).count == 7)
            #expect(try await ledger.currentEntry(collectionID: "c3")?.collectionID == "c3")
        }
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
