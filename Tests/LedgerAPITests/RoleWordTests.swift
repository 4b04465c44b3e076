import LedgerAPI
import Testing

/// Every body shape of API spec A.6 is read.
@Suite struct RoleWordTests {
    @Test(arguments: [
        #"[{"roleName":"t","roleActions":["a"]}]"#,
        #"{"roles":[{"roleName":"t","roleActions":["a"]}]}"#,
        #"{"roles":[{"role_name":"t","role_actions":["a"]}]}"#,
        #"[{"role_name":"t","role_actions":["a"],"extra":1}]"#,
        #"[{"role_name":"t","roleName":"t","role_actions":["a"],"roleActions":["a"]}]"#,
    ])
    func accepted(json: String) throws {
        let roles = try RoleWord.list(JSONValue(json: Array(json.utf8)))
        #expect(roles == [RoleWord(roleName: "t", roleActions: ["a"])])
    }

    @Test(arguments: [
        "[]", "{}", "1", "[1]", #"[{"roleName":"t"}]"#, #"[{"roleActions":[]}]"#,
        #"[{"roleName":1,"roleActions":[]}]"#, #"[{"roleName":"t","roleActions":[1]}]"#,
        #"[{"roleName":"t","roleActions":[]},{"roleName":"t","roleActions":[]}]"#,
        #"[{"roleName":"t","role_name":"z","roleActions":[]}]"#,
        #"[{"roleName":"t","roleActions":["a"],"role_actions":["*"]}]"#,
    ])
    func refused(json: String) throws {
        let value = try JSONValue(json: Array(json.utf8))
        #expect(throws: JSONError.self) { try RoleWord.list(value) }
    }

    @Test func namesAreComparedByBytes() throws {
        let json = "[{\"roleName\":\"\u{E9}\",\"roleActions\":[]},{\"roleName\":\"e\u{301}\",\"roleActions\":[]}]"
        #expect(try RoleWord.list(JSONValue(json: Array(json.utf8))).count == 2)
    }

    @Test func shapesByVersion() {
        #expect(APIVersion(name: "2024-12-09-preview")?.roleShape == .array)
        #expect(APIVersion(name: "2026-02-23")?.roleShape == .object)
        #expect(APIVersion(name: "2026-07-31-preview")?.roleShape == .objectWithoutContent)
        #expect(APIVersion(name: "2022-05-13") != nil)
        #expect(APIVersion(name: "2030-01-01") == nil)
    }
}
