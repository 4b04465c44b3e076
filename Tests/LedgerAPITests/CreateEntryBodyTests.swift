import LedgerAPI
import Testing

/// The body of a write, read strictly (API spec A.3).
@Suite struct CreateEntryBodyTests {
    @Test(arguments: [
        (#"{"contents":"hello"}"#, "hello"),
        (#" { "contents" : "" } "#, ""),
        (#"{"contents":"a\"b\\c\/d\b\f\n\r\t"}"#, "a\"b\\c/d\u{8}\u{c}\n\r\t"),
        (#"{"contents":"\u00e9\uD83D\uDE00\u0000"}"#, "é😀\u{0}"),
        (#"{"contents":"日本 é 😀"}"#, "日本 é 😀"),
        (#"{"contents":"x","collectionId":"c","transactionId":"2.1","other":{"a":[1,2.5e3,-0,null,true]}}"#, "x"),
        (#"{"contents":"x","preHooks":[],"postHooks":null}"#, "x"),
        (#"{"contents":"0123456789012345678901234567890123456789"}"#, "0123456789012345678901234567890123456789"),
        (#"{"\u0063ontents":"escaped name"}"#, "escaped name"),
    ])
    func accepted(json: String, contents: String) throws {
        #expect(try CreateEntryBody(json: Array(json.utf8)).contents == contents)
    }

    @Test(arguments: [
        ("", "ends too early"),
        ("[]", "must be a JSON object"),
        ("\"x\"", "must be a JSON object"),
        ("{}", "lacks the string member \"contents\""),
        (#"{"contents":1}"#, "must be a JSON string"),
        (#"{"contents":null}"#, "must be a JSON string"),
        (#"{"contents":"a","contents":"b"}"#, "twice"),
        (#"{"contents":"a","x":1,"x":2}"#, "twice"),
        (#"{"contents":"a","x":{"y":1,"y":2}}"#, "twice"),
        (#"{"contents":"a"} x"#, "after the end"),
        (#"{"contents":"a",}"#, "comma"),
        (#"{"contents":"a"#, "no end"),
        (#"{"contents":"\uD800"}"#, "surrogate"),
        (#"{"contents":"\uDC00"}"#, "surrogate"),
        (#"{"contents":"\uD800\u0041"}"#, "surrogate"),
        (#"{"contents":"\x"}"#, "unknown escape"),
        (#"{"contents":"\u12g4"}"#, "hexadecimal"),
        ("{\"contents\":\"a\u{1}\"}", "control character"),
        ("{\"contents\":\"01234567\n0123456\"}", "control character"),
        (#"{"contents":"a","n":01}"#, "begins with 0"),
        (#"{"contents":"a","n":1.}"#, "after the point"),
        (#"{"contents":"a","n":+1}"#, "unknown JSON value"),
        (#"{"contents":"a","n":nul}"#, "unknown JSON value"),
        (#"{"contents":"a","n":NaN}"#, "unknown JSON value"),
        (#"{"contents":"a","preHooks":[{"functionId":"f"}]}"#, "preHooks"),
        (#"{"contents":"a","postHooks":[1]}"#, "postHooks"),
        (#"{"contents":"a","postHooks":{}}"#, "postHooks"),
        (#"{contents:"a"}"#, "expected"),
        (#"{'contents':'a'}"#, "expected"),
    ])
    func refused(json: String, reason: String) {
        let error = #expect(throws: JSONError.self) { try CreateEntryBody(json: Array(json.utf8)) }
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
    }

    @Test func refusesBytesThatAreNotUTF8() {
        for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80]] {
            let json = Array(#"{"contents":"abcdefgh"#.utf8) + bad + Array(#"xyz"}"#.utf8)
            let error = #expect(throws: JSONError.self) { try CreateEntryBody(json: json) }
            #expect(error?.reason.contains("UTF-8") == true)
        }
    }

    @Test func refusesDeepNesting() {
        let bomb = #"{"contents":"a","x":"# + String(repeating: "[", count: 100_000)
        let error = #expect(throws: JSONError.self) { try CreateEntryBody(json: Array(bomb.utf8)) }
        #expect(error?.reason.contains("nested") == true)
    }

    @Test func everyCutIsRefused() {
        let whole = Array(#"{"contents":"aé\u0041😀","x":[1,{"y":"z"}],"preHooks":[]}"#.utf8)
        for count in 0..<whole.count {
            #expect(throws: JSONError.self) { try CreateEntryBody(json: Array(whole[..<count])) }
        }
    }
}
