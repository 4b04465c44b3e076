import LedgerAPI
import Testing

@Suite struct JSONTests {
    @Test func writesWhatItReads() throws {
        let text = #"{"a":[1,-2.5e+3,true,false,null],"b":{"":"\u0001\u001f\"\\\n"},"ü":"日"}"#
        let value = try JSONValue(json: Array(text.utf8))
        #expect(String(decoding: value.encoded(), as: UTF8.self) == text)
        #expect(try JSONValue(json: value.prettyEncoded()) == value)
    }

    @Test(arguments: ["", " ", "{", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "1 2", "tru", "-", "1e", "\"", "[1 2]"])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(json: Array(text.utf8)) }
    }

    @Test func envelopeEscapesItsMessage() {
        let json = ErrorEnvelope(code: "X", message: "a \"b\"\n").encoded()
        #expect(String(decoding: json, as: UTF8.self) == #"{"error":{"code":"X","message":"a \"b\"\n"}}"#)
    }

    @Test func errorNamesAreUnique() {
        #expect(Set(ErrorCode.all.map(\.name)).count == ErrorCode.all.count)
    }
}
