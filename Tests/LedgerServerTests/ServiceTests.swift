import Foundation
import HTTPTypes
import LedgerAPI
import LedgerNode
import LedgerProofs
import NIOCore
import Synchronization
import Testing

@testable import LedgerServer

/// The whole interface against a real ledger.
@Suite(.serialized) struct ServiceTests {
    @Test func everyRouteIsDocumentedAndEveryDocumentedOneIsServed() async throws {
        try await ServiceFixture.with { service in
            let served = Set(service.routes.filter { !$0.isHidden }.map { "\($0.method.rawValue) \($0.pattern)" })
            var documented: Set<String> = []
            guard case .object(let paths)? = try await service.json("/app/api", as: service.stranger)["paths"] else {
                Issue.record("no paths")
                return
            }
            for (path, operations) in paths {
                guard case .object(let methods) = operations else { continue }
                for method in methods { documented.insert("\(method.name.uppercased()) \(path)") }
            }
            #expect(served.subtracting(documented).sorted() == [])
            #expect(documented.subtracting(served).sorted() == [])
            for route in service.routes where !route.isHidden {
                let operation = APIOperation.all.first {
                    $0.method == route.method.rawValue && $0.path == route.pattern
                }
                #expect(
                    operation?.action == route.access.action(LedgerServerConfiguration())?.rawValue, "\(route.pattern)")
            }
        }
    }

    @Test(arguments: NodeConfiguration.LedgerType.allCases)
    func writeReadProve(_ type: NodeConfiguration.LedgerType) async throws {
        try await ServiceFixture.with(type: type) { service in
            let contents = "héllo \"日本\"\n"
            let id = try await service.append(contents)
            let status = try await service.json("/app/transactions/\(id)/status?api-version=2022-05-13")
            #expect(status == ["state": "Committed", "transactionId": .string(id)])
            let entry = try await service.json("/app/transactions/\(id)")
            #expect(entry["state"] == "Ready" && entry["entry"]?["contents"] == .string(contents))
            #expect(entry["entry"]?["collectionId"] == "subledger:0")
            #expect(try await service.json("/app/transactions/current")["transactionId"] == .string(id))

            let answer = try await service.send("GET", "/app/transactions/\(id)/receipt")
            #expect(answer[HeaderNames.transactionID] != nil)
            let document = try UnverifiedReceiptDocument(json: Array(answer.body.utf8))
            #expect(document.transactionID?.description == id && document.applicationClaims.count == 1)
            let verifier = try ReceiptVerifier(serviceCertificatePEM: service.ledger.information.serviceCertificatePEM)
            guard case .verified(let verified) = verifier.verify(document.receipt, claims: document.applicationClaims)
            else {
                Issue.record("the receipt does not verify")
                return
            }
            #expect(verified.transactionID?.description == id)
            let framework = try await service.send("GET", "/app/receipt?transaction_id=\(id)", as: service.stranger)
            #expect(framework.body.contains("\"leaf_components\""))
            for (path, accept) in [("/receipt/cose", "*/*"), ("/receipt", "application/cose")] {
                let cose = try await service.send(
                    "GET", "/app/transactions/\(id)\(path)", headers: [("accept", accept)])
                #expect(cose.status == 200 && cose["content-type"] == "application/cose")
            }
        }
    }

    @Test func waitForCommitCarriesTheReceipt() async throws {
        try await ServiceFixture.with { service in
            let answer = try await service.send(
                "POST", "/app/transactions?waitForCommit=true&collectionId=a%20b%2F%C3%BC&tags=x,y",
                #"{"contents":"c"}"#)
            let body = try JSONValue(json: Array(answer.body.utf8))
            #expect(body["state"] == "Committed" && body["collectionId"] == "a b/ü")
            #expect(body["transactionId"]?.stringValue == answer[HeaderNames.transactionID])
            #expect(body["receipt"]?["serviceEndorsements"] == [])
            #expect(body["applicationClaims"]?.arrayValue?.count == 1)
            let entry = try await service.json("/app/transactions/current?collectionId=a%20b%2F%C3%BC")
            #expect(entry["tags"] == ["x", "y"])
            #expect(try await service.json("/app/collections/tags?collectionId=a%20b%2F%C3%BC")["tags"] == ["x", "y"])
            let collections = try await service.json("/app/collections")
            #expect(collections["collections"] == [["collectionId": "a b/ü"]])
            #expect(collections["nextLink"] == nil)
        }
    }

    @Test func repeatedRequestIsTheSameWrite() async throws {
        try await ServiceFixture.with { service in
            var ids: [String?] = []
            for (key, contents) in [("k1", "a"), ("k1", "a"), ("k2", "a"), ("k1", "b")] {
                let answer = try await service.send(
                    "POST", "/app/transactions", "{\"contents\":\"\(contents)\"}",
                    headers: [(HeaderNames.clientRequestID, key)])
                #expect(answer.status == 200)
                ids.append(answer[HeaderNames.transactionID])
            }
            #expect(ids[0] == ids[1])
            #expect(Set(ids).count == 3)
            // An empty one is none: every call is a new write.
            for _ in 0..<2 {
                let answer = try await service.send(
                    "POST", "/app/transactions", "{\"contents\":\"e\"}", headers: [(HeaderNames.clientRequestID, "")])
                #expect(answer.status == 200)
                ids.append(answer[HeaderNames.transactionID])
            }
            #expect(Set(ids).count == 5)
        }
    }

    @Test func rangesPageToAFixedEnd() async throws {
        try await ServiceFixture.with { service in
            var ids: [String] = []
            for i in 0..<7 {
                ids.append(
                    try await service.append(
                        "e\(i)", query: i % 2 == 0 ? "?tags=even&collectionId=p%2Bq" : "?collectionId=p%2Bq"))
            }
            func walk(_ start: String, onPage: () async throws -> Void = {}) async throws -> [String] {
                var found: [String] = []
                var link: String? = start
                while let path = link {
                    let page = try await service.json(path)
                    #expect(page["state"] == "Ready")
                    found += page["entries"]?.arrayValue?.compactMap { $0["transactionId"]?.stringValue } ?? []
                    link = page["nextLink"]?.stringValue
                    #expect(link != "")
                    // What the Python client makes of an encoded plus sign.
                    link = link?.replacing("%2B", with: "+")
                    try await onPage()
                }
                return found
            }
            let start = "/app/transactions?collectionId=p%2Bq&limit=2&api-version=2022-05-13"
            #expect(try await walk(start) == ids)
            // Entries written meanwhile are outside the fixed range.
            let meanwhile = try await walk(start) { _ = try await service.append("late", query: "?collectionId=p%2Bq") }
            #expect(meanwhile == ids)
            #expect(try await walk(start + "&tag=even&toTransactionId=\(ids[5])") == [ids[0], ids[2], ids[4]])
            #expect(
                try await walk(start + "&fromTransactionId=\(ids[2])&toTransactionId=\(ids[3])") == [ids[2], ids[3]])
            #expect(try await walk(start + "&fromTransactionId=\(ids[3])&toTransactionId=\(ids[2])") == [])
            #expect(try await walk(start + "&author=nobody") == [])
            let author = try await service.json("/app/transactions/\(ids[0])")["entry"]?["author"]?.stringValue ?? ""
            #expect(try await walk(start + "&toTransactionId=\(ids[6])&author=\(author)") == ids)
            #expect(try await walk(start + "&fromTime=2000-01-01T00:00:00Z&toTime=2001-01-01T00:00:00Z") == [])
            #expect(try await walk(start + "&toTransactionId=\(ids[6])&fromTime=2000-01-01T00:00:00Z") == ids)
            #expect(try await walk("/app/transactions?collectionId=none") == [])
        }
    }

    @Test func badInput() async throws {
        try await ServiceFixture.with { service in
            let before = service.ledger.committed
            let json = #"{"contents":"x"}"#
            let cases: [(String, String, String?, String, Int, String)] = [
                ("POST", "/app/transactions", json, "text/plain", 415, "UnsupportedMediaType"),
                ("POST", "/app/transactions", json, "application/json; charset=latin1", 415, "UnsupportedMediaType"),
                ("POST", "/app/transactions", json, "application/merge-patch+json", 415, "UnsupportedMediaType"),
                ("POST", "/app/transactions", "{", "application/json", 400, "InvalidInput"),
                ("POST", "/app/transactions", "", "application/json", 400, "InvalidInput"),
                ("POST", "/app/transactions", #"{"contents":5}"#, "application/json", 400, "contents"),
                ("POST", "/app/transactions?tags=a,a", json, "application/json", 400, "tags"),
                ("POST", "/app/transactions?waitForCommit=maybe", json, "application/json", 400, "waitForCommit"),
                ("POST", "/app/transactions?api-version=2099-01-01", json, "application/json", 400, "2099-01-01"),
                (
                    "POST", "/app/transactions?collectionId=" + String(repeating: "c", count: 1025), json,
                    "application/json", 400, "collectionId"
                ),
                ("GET", "/app/transactions/None/status", nil, "", 404, "InvalidTransactionId"),
                ("GET", "/app/transactions/2.0", nil, "", 404, "InvalidTransactionId"),
                ("GET", "/app/transactions/2.99999/status", nil, "", 404, "TransactionPendingOrUnknown"),
                ("GET", "/app/transactions/2.99999/receipt", nil, "", 404, "TransactionPendingOrUnknown"),
                ("GET", "/app/transactions/9.1", nil, "", 404, "TransactionInvalid"),
                ("GET", "/app/transactions/2.1", nil, "", 404, "UnknownLedgerEntry"),
                ("GET", "/app/transactions/current", nil, "", 404, "CollectionNotFound"),
                ("GET", "/app/transactions?fromTransactionId=x", nil, "", 400, "fromTransactionId"),
                ("GET", "/app/transactions?limit=0", nil, "", 400, "limit"),
                ("GET", "/app/transactions?fromTime=yesterday", nil, "", 400, "fromTime"),
                ("GET", "/app/collections?cursor=%2B", nil, "", 400, "cursor"),
                ("GET", "/app/users/nobody", nil, "", 404, "UserNotFound"),
                ("PATCH", "/app/users/u", #"{"assignedRole":"Emperor"}"#, "application/json", 404, "RoleNotFound"),
                ("PATCH", "/app/users/u", #"{"assignedRole":7}"#, "application/json", 400, "assignedRole"),
                ("PATCH", "/app/users/u", "[]", "application/json", 400, "InvalidInput"),
                ("PATCH", "/app/ledgerUsers/u", #"{"assignedRoles":[]}"#, "application/json", 400, "assignedRoles"),
                (
                    "PATCH", "/app/users/a%0Ab", #"{"assignedRole":"Reader"}"#, "application/json", 400,
                    "InvalidResourceName"
                ),
                ("PUT", "/app/roles", "[]", "application/json", 400, "InvalidInput"),
                (
                    "PUT", "/app/roles", #"[{"roleName":"reader","roleActions":["*"]}]"#, "application/json", 409,
                    "RoleAlreadyExists"
                ),
                ("DELETE", "/app/roles", nil, "", 400, "roleName"),
                ("GET", "/app/roles?roleName=none", nil, "", 404, "RoleNotFound"),
                ("GET", "/app/userDefinedFunctions", nil, "", 404, "NotOffered"),
                ("POST", "/app/userDefinedFunctions/f:execute", "{}", "application/json", 404, "NotOffered"),
                ("GET", "/app/userDefinedEndpoints", nil, "", 404, "NotOffered"),
                ("GET", "/app/operations/1", nil, "", 404, "NotOffered"),
                ("GET", "/app/tx?transaction_id=x", nil, "", 400, "InvalidQueryParameterValue"),
                ("GET", "/app/tx", nil, "", 400, "transaction_id"),
                ("GET", "/app/commit?view_history=perhaps", nil, "", 400, "view_history"),
                ("GET", "/app/commit?view_history_since=77", nil, "", 400, "view_history_since"),
                ("GET", "/node/network/nodes/abc", nil, "", 404, "ResourceNotFound"),
                ("GET", "/node/network/nodes?status=odd", nil, "", 400, "status"),
                ("GET", "/node/ledger-chunk/..%2Fkeys%2Fx", nil, "", 404, "ResourceNotFound"),
                ("GET", "/node/ledger-chunk?since=99999999", nil, "", 404, "ResourceNotFound"),
                ("GET", "/ledgerIdentity/other", nil, "", 404, "ResourceNotFound"),
                ("GET", "/gov/service/state", nil, "", 404, "ResourceNotFound"),
                ("PUT", "/app/transactions", "{}", "application/json", 405, "UnsupportedHttpVerb"),
            ]
            for (method, path, body, type, status, words) in cases {
                let answer = try await service.send(
                    method, path, body, headers: type.isEmpty ? [] : [("content-type", type)])
                #expect(
                    answer.status == status && answer.body.contains(words),
                    "\(method) \(path): \(answer.status) \(answer.body)")
                #expect(answer["retry-after"] == nil)
                #expect(try JSONValue(json: Array(answer.body.utf8))["error"]?["code"] != nil)
            }
            #expect(service.ledger.committed == before)
        }
    }

    @Test func formsThatAreNotOffered() async throws {
        try await ServiceFixture.with { service in
            let id = try await service.append("x")
            for (path, accept, status) in [
                ("/app/collections", "text/html", 406), ("/app/collections", "application/json;q=0", 406),
                ("/app/collections", "text/html, */*;q=0.1", 200), ("/app/collections", "application/cose", 406),
                ("/app/transactions/\(id)/receipt", "application/cose", 200), ("/metrics", "text/plain", 200),
                ("/app/transactions/\(id)/receipt", "text/html", 406),
                ("/app/transactions/\(id)/receipt/cose", "application/json", 200),
            ] {
                let answer = try await service.send("GET", path, headers: [("accept", accept)])
                #expect(answer.status == status, "\(path) \(accept)")
                if status == 406 { #expect(answer.body.contains("UnsupportedContentType")) }
            }
            let packed = try await service.send(
                "POST", "/app/transactions", #"{"contents":"c"}"#, headers: [("content-encoding", "gzip")])
            #expect(packed.status == 415)
            let twoTags = try await service.send("GET", "/app/transactions?tag=a,b")
            #expect(twoTags.status == 400)
        }
    }

    @Test func nobodyHandsOutRightsItLacks() async throws {
        let issuer = TestIssuer()
        let key = JWTKey.make()
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        issuer.time.withLock { $0 = Int64(Date().timeIntervalSince1970) }
        try await ServiceFixture.with(issuer: issuer) { service in
            let user = "11111111-2222-3333-4444-555555555555"
            let roles = "/app/roles?api-version=2026-02-23"
            func role(_ name: String, _ actions: String) -> String {
                "{\"roles\":[{\"roleName\":\"\(name)\",\"roleActions\":[\(actions)]}]}"
            }
            let rights = #""/users/patch","/roles/patch","/roles/put","/transactions/get""#
            #expect(try await service.send("PUT", roles, role("manager", rights)).status == 200)
            let hired = try await service.send("PATCH", "/app/users/\(user)", #"{"assignedRole":"manager"}"#)
            #expect(hired.status == 200)
            let token = try await TestIssuer.sign(issuer.claims(), key, kid: "a")
            func call(_ method: String, _ path: String, _ body: String) async throws -> ListenerFixture.Answer {
                try await service.send(
                    method, path, body, as: service.stranger, headers: [("authorization", "Bearer \(token)")])
            }
            for (method, path, body) in [
                ("PATCH", "/app/users/\(user)", #"{"assignedRole":"administrator"}"#),
                ("PATCH", "/app/ledgerUsers/user-2", #"{"assignedRoles":["manager","Contributor"]}"#),
                ("PATCH", roles, role("manager", #""*""#)), ("PUT", roles, role("more", #""/users/*""#)),
            ] {
                let answer = try await call(method, path, body)
                #expect(answer.status == 403 && answer.body.contains("NotAllowed"), "\(path) \(answer.body)")
                #expect(answer.body.contains("Microsoft.ConfidentialLedger/ledger/"))
            }
            #expect(try await call("PATCH", "/app/users/user-2", #"{"assignedRole":"manager"}"#).status == 200)
            #expect(try await call("PUT", roles, role("less", #""/transactions/get","/own/endpoint""#)).status == 200)
            // Mistyped fingerprints, and roles that cannot go.
            let cut = try await service.send("PATCH", "/app/users/AA:BB", #"{"assignedRole":"Reader"}"#)
            #expect(cut.status == 400 && cut.body.contains("fingerprint"))
            for name in ["Reader", "manager"] {
                let kept = try await service.send("DELETE", "/app/roles?roleName=\(name)")
                #expect(kept.status == 409 && kept.body.contains("RoleInUse"), "\(kept.body)")
            }
        }
    }

    @Test func usersInBothFamiliesAndTheirRights() async throws {
        try await ServiceFixture.with { service in
            let set = try await service.send(
                "PATCH", "/app/users/bob", #"{"assignedRole":"contributor"}"#,
                headers: [("content-type", "application/merge-patch+json")])
            #expect(set.status == 200 && set.body == #"{"userId":"bob","assignedRole":"Contributor"}"#)
            #expect(set[HeaderNames.transactionID] != nil)
            #expect(try await service.json("/app/ledgerUsers/bob")["assignedRoles"] == ["Contributor"])
            let two = try await service.send(
                "PATCH", "/app/ledgerUsers/bob", #"{"assignedRoles":["Reader","Administrator"],"user_id":"x"}"#)
            #expect(two.status == 200)
            #expect(try await service.json("/app/users/bob")["assignedRole"] == "Administrator")
            // Colons in any form, fingerprints in any case.
            let fingerprint = PeerCertificate(der: [7]).fingerprint
            let escaped = fingerprint.lowercased().replacing(":", with: "%3A")
            #expect(
                try await service.send("PATCH", "/app/users/\(escaped)", #"{"assignedRole":"Reader"}"#).status == 200)
            #expect(try await service.json("/app/users/\(fingerprint)")["userId"] == .string(fingerprint))

            var page = try await service.json("/app/users?limit=2")
            #expect(page["ledgerUsers"]?.arrayValue?.count == 2)
            let link = try #require(page["nextLink"]?.stringValue)
            page = try await service.json(link)
            #expect(page["ledgerUsers"]?.arrayValue?.count == 1 && page["nextLink"] == nil)

            #expect(try await service.send("DELETE", "/app/users/\(fingerprint)").status == 204)
            let again = try await service.send("DELETE", "/app/users/\(fingerprint)")
            #expect(again.status == 204 && again[HeaderNames.transactionID] != nil)
            #expect(try await service.send("DELETE", "/app/ledgerUsers/bob").status == 204)
            let me = try #require(
                try await service.json("/app/users")["ledgerUsers"]?.arrayValue?.first?["userId"]?.stringValue)
            for (method, body) in [("DELETE", nil), ("PATCH", #"{"assignedRole":"Reader"}"#)] {
                let last = try await service.send(method, "/app/users/\(me)", body)
                #expect(last.status == 409 && last.body.contains("LastAdministrator"))
            }
        }
    }

    @Test func roleShapesFollowTheVersion() async throws {
        try await ServiceFixture.with { service in
            func call(_ method: String, _ version: String, _ query: String = "", _ body: String? = nil) async throws
                -> ListenerFixture.Answer
            {
                try await service.send(method, "/app/roles?api-version=\(version)\(query)", body)
            }
            let role = #"{"roleName":"trader","roleActions":["/transactions/post"]}"#
            let old = "2024-12-09-preview", stable = "2026-02-23", new = "2026-07-31-preview"
            let made = try await call("PUT", old, "", "[\(role)]")
            #expect(made.body == "[\(role)]")
            #expect(try await call("PUT", stable, "", "[\(role)]").status == 409)
            #expect(try await call("GET", old, "&roleName=trader").body == "[\(role)]")
            #expect(try await call("GET", stable, "&roleName=trader").body == "{\"role\":[\(role)]}")
            #expect(try await call("GET", new).body == "{\"role\":[\(role)]}")
            let changed = #"{"roleName":"trader","roleActions":["*"]}"#
            let snake = #"{"roles":[{"role_name":"trader","role_actions":["*"]}]}"#
            #expect(try await call("PATCH", stable, "", snake).body == "{\"roles\":[\(changed)]}")
            #expect(try await call("PATCH", stable, "", #"[{"roleName":"none","roleActions":[]}]"#).status == 404)
            #expect(try await call("DELETE", stable, "&roleName=trader").status == 200)
            #expect(try await call("DELETE", stable, "&roleName=trader").status == 404)
            #expect(try await call("PUT", new, "", "{\"roles\":[\(role)]}").status == 200)
            #expect(try await call("DELETE", new, "&roleName=trader").status == 204)
            #expect(try await call("GET", stable, "&roleName=READER").body.contains("transactions/read"))
        }
    }

    @Test func tokensAndRoles() async throws {
        let issuer = TestIssuer()
        let key = JWTKey.make()
        issuer.publish(keys: [TestIssuer.jwk(key, kid: "a")])
        issuer.time.withLock { $0 = Int64(Date().timeIntervalSince1970) }
        try await ServiceFixture.with(issuer: issuer) { service in
            let token = try await TestIssuer.sign(issuer.claims(), key, kid: "a")
            let user = "11111111-2222-3333-4444-555555555555"
            func call(_ method: String, _ path: String, _ body: String? = nil, admin: Bool = false) async throws
                -> ListenerFixture.Answer
            {
                try await service.send(
                    method, path, body, as: admin ? service.administrator : service.stranger,
                    headers: [("authorization", "Bearer \(token)")])
            }
            let unknown = try await call("GET", "/app/transactions")
            #expect(unknown.status == 403 && unknown.body.contains(user) && unknown.body.contains("transactions/read"))
            #expect(unknown.body.contains("Not allowed to call GET /app/transactions"))
            // The token counts, although the connection has the administrator's certificate.
            #expect(try await call("GET", "/app/transactions", admin: true).status == 403)

            _ = try await service.send("PATCH", "/app/users/\(user)", #"{"assignedRole":"Reader"}"#)
            #expect(try await call("GET", "/app/transactions").status == 200)
            let write = try await call("POST", "/app/transactions", #"{"contents":"x"}"#)
            #expect(write.status == 403 && write.body.contains("Reader") && write.body.contains("transactions/write"))
            #expect(try await call("GET", "/app/users").status == 403)

            _ = try await service.send(
                "PUT", "/app/roles", #"{"roles":[{"roleName":"writer","roleActions":["/transactions/post"]}]}"#)
            _ = try await service.send("PATCH", "/app/ledgerUsers/\(user)", #"{"assignedRoles":["writer"]}"#)
            #expect(try await call("POST", "/app/transactions", #"{"contents":"x"}"#).status == 200)
            #expect(try await call("GET", "/app/transactions").status == 403)
            #expect(try await service.json("/app/transactions/current")["author"] == .string(user))
        }
    }

    @Test func openEndpointsNeedNobody() async throws {
        try await ServiceFixture.with { service in
            for route in service.routes where !route.isHidden && route.method == .get {
                guard case .open = route.access, !route.pattern.contains("{"), !route.pattern.hasSuffix("/tx"),
                    !route.pattern.hasSuffix("/receipt")
                else { continue }
                let answer = try await service.send("GET", route.pattern, as: service.stranger)
                #expect([200, 204].contains(answer.status), "\(route.pattern) \(answer.status)")
            }
            for path in [
                "/app/transactions", "/app/governance/constitution", "/app/enclaveQuotes", "/node/ledger-chunk",
            ] {
                #expect(try await service.send("GET", path, as: service.stranger).status == 401, "\(path)")
            }
            let information = service.ledger.information
            for name in [
                "testledger", "127", "localhost:\(service.listener.port)", "localhost", "127.0.0.1", "TestLedger",
            ] {
                let identity = try await service.json(
                    "/ledgerIdentity/\(name)?api-version=2022-05-13", as: service.stranger)
                #expect(identity["ledgerTlsCertificate"] == .string(information.serviceCertificatePEM), "\(name)")
            }
            let constitution = try await service.json("/app/governance/constitution")
            let script = try #require(constitution["script"]?.stringValue)
            #expect(constitution["digest"] == .string(SHA256Hashing.digest(utf8: script).hex))
            let quotes = try await service.json("/app/enclaveQuotes")
            #expect(quotes["enclaveQuotes"]?[information.nodeID]?["quoteVersion"] == "virtual-1")
            #expect(quotes["currentNodeId"] == .string(information.nodeID))
            #expect(try await service.json("/app/governance/members")["members"]?.arrayValue != nil)
            #expect(try await service.json("/node/state")["node_id"] == .string(information.nodeID))
            #expect(try await service.json("/node/network")["service_status"] == "Open")
            // Without a prefix: below /app.
            #expect(try await service.json("/commit", as: service.stranger)["transaction_id"] != nil)
            let metrics = try await service.send("GET", "/metrics", as: service.stranger)
            #expect(
                metrics.body.contains("indelible_committed_seqno") && metrics.body.contains("route=\"GET /node/state\"")
            )
            // The node's certificate lasts one year and the service's ten.
            let now = Date().timeIntervalSince1970
            for (name, days) in [("node", 365.0), ("service", 3650.0)] {
                let sample = "indelible_certificate_end_timestamp_seconds{certificate=\"\(name)\"} "
                let line = try #require(metrics.body.split(separator: "\n").first { $0.hasPrefix(sample) })
                let end = try #require(Double(line.dropFirst(sample.count)))
                #expect(abs(end - now - days * 86_400) < 2 * 86_400)
            }
        }
    }

    @Test func anonymousSettings() async throws {
        try await ServiceFixture.with(change: { $0.anonymousGovernance = true }) { service in
            let quotes = try await service.send("GET", "/app/enclaveQuotes", as: service.stranger)
            #expect(quotes.status == 200)
            #expect(try await service.send("GET", "/app/governance/constitution", as: service.stranger).status == 200)
            #expect(try await service.send("GET", "/app/transactions", as: service.stranger).status == 401)
        }
    }

    @Test func downloads() async throws {
        try await ServiceFixture.with(node: {
            $0.chunkByteCount = 4096
            $0.snapshotInterval = 10
        }) { service in
            for i in 0..<40 { _ = try await service.append(String(repeating: "x", count: 300) + "\(i)") }
            let chunk = try #require(service.ledger.committedChunks().first)
            let redirect = try await service.send("HEAD", "/node/ledger-chunk?since=1")
            #expect([200, 308].contains(redirect.status))
            let path = "/node/ledger-chunk/\(chunk.fileName)"
            func bytes(_ headers: [(String, String)]) async throws -> (Int, [UInt8], ListenerFixture.Answer) {
                let answer = try await service.send("GET", path, headers: headers)
                return (answer.status, Array(answer.body.utf8), answer)
            }
            let whole = try await bytes([("want-repr-digest", "sha-256=1")])
            #expect(whole.0 == 200 && whole.2["content-length"] == String(chunk.byteCount))
            #expect(whole.2[HeaderNames.ledgerChunkName] == chunk.fileName)
            let etag = try #require(whole.2["etag"])
            #expect(etag == "\"\(whole.2["repr-digest"] ?? "")\"")
            #expect(try await bytes([("if-none-match", etag)]).0 == 304)
            let part = try await bytes([("range", "bytes=0-9")])
            #expect(
                part.0 == 206 && part.2["content-range"] == "bytes 0-9/\(chunk.byteCount)"
                    && part.2["content-length"] == "10")
            #expect(try await bytes([("range", "bytes=\(chunk.byteCount)-")]).0 == 416)
            #expect(try await bytes([("range", "bytes=9-1")]).0 == 400)
            let head = try await service.send("HEAD", path)
            #expect(head.status == 200 && head["content-length"] == String(chunk.byteCount) && head.body.isEmpty)
            if let snapshot = service.ledger.committedSnapshots().last {
                let answer = try await service.send("GET", "/node/snapshot/\(snapshot.fileName)")
                #expect(answer.status == 200 && answer[HeaderNames.snapshotName] == snapshot.fileName)
                #expect(try await service.send("GET", "/node/ledger-chunk/\(snapshot.fileName)").status == 404)
            }
        }
    }

    @Test func manyWritersAtOnce() async throws {
        try await ServiceFixture.with { service in
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for i in 0..<200 { group.addTask { try await service.append("entry \(i)") } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids.count == 200)
            let page = try await service.json("/app/transactions?limit=1000")
            #expect(page["entries"]?.arrayValue?.count == 200)
        }
    }
}
