import LedgerProofs
import Testing

/// The one reader of JSON, through the values of this module.
@Suite struct JSONTests {
    static let limits = DecodingLimits(maximumByteCount: 200, maximumDepth: 3, maximumItemCount: 12)

    static func read(_ bytes: [UInt8]) throws(JSONTextError) -> JSONValue { try .reading(bytes, limits: limits) }

    @Test func readsEveryKindOfValue() throws {
        let text =
            #" { "a" : [ 1 , -2.5e+3 , 0 , true , false , null ] , "" : "\u0041\ud83d\ude00\/\b\f\n\r\t\"\\é" , "b" : {} } "#
        let want = #"{"":"A😀/\b\f\n\r\t\"\\é","a":[1,-2.5e+3,0,true,false,null],"b":{}}"#
        #expect(try Self.read(Array(text.utf8)).canonicalBytes() == Array(want.utf8))
    }

    @Test(arguments: [
        // Strings of every length around the eight bytes that are looked at in one go, with something special at the end.
        0, 1, 6, 7, 8, 9, 15, 16, 17, 24, 31,
    ]) func endsStringsAtTheirQuote(length: Int) throws {
        let plain = String(repeating: "x", count: length)
        #expect(try Self.read(Array("\"\(plain)\"".utf8)) == .string(plain))
        #expect(try Self.read(Array("\"\(plain)\\n\(plain)\"".utf8)) == .string("\(plain)\n\(plain)"))
        #expect(throws: JSONTextError("a control character inside a JSON string", at: length + 1)) {
            try Self.read(Array("\"\(plain)\u{1f}\"".utf8))
        }
        #expect(throws: JSONTextError("a JSON string has no end", at: 1)) { try Self.read(Array("\"\(plain)".utf8)) }
    }

    @Test(arguments: [
        ("", 0), (" ", 1), ("{", 1), ("[", 1), ("[1,]", 3), ("[,1]", 1), (#"{"a"}"#, 4), (#"{"a":}"#, 5),
        (#"{a:1}"#, 1),
        ("[1 2]", 3), (#"{"a":1,}"#, 7), ("tru", 0), ("nul", 0), ("True", 0), ("-", 0), ("+1", 0), (".5", 0), ("01", 0),
        ("1.", 0), ("1e", 0), ("1e+", 0), ("NaN", 0), ("'a'", 0), ("\"", 1), (#""\"#, 2), (#""\x""#, 2),
        (#""\u12g4""#, 5),
        (#""\u12"#, 5), (#""\ud800""#, 1), (#""\ud800\n""#, 1), (#""\ud800\u0041""#, 1), (#""\udc00""#, 1),
        ("\u{FEFF}1", 0), ("[1}", 2), (#"{"a":1]"#, 6),
    ]) func namesWhereTheSyntaxBreaks(text: String, offset: Int) {
        let error = #expect(throws: JSONTextError.self) { try Self.read(Array(text.utf8)) }
        #expect(error?.rule == .syntax)
        #expect(error?.offset == offset)
    }

    @Test(arguments: [[0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xC3]] as [[UInt8]])
    func refusesTextThatIsNotUTF8(bytes: [UInt8]) {
        let quote = [UInt8(ascii: "\"")]
        #expect(throws: JSONTextError("a JSON string is not UTF-8", at: 1)) { try Self.read(quote + bytes + quote) }
        #expect(throws: JSONTextError("a JSON string is not UTF-8", at: 1)) {
            try Self.read(quote + Array(#"\n"#.utf8) + bytes + quote)
        }
    }

    @Test(arguments: [
        (#"{"a":1,"a":1}"#, JSONTextError.Rule.duplicate, 10), (#"{"a":1,"\u0061":1}"#, .duplicate, 15),
        ("1 2", .trailing, 2), ("{}]", .trailing, 2), ("1\u{0}", .trailing, 1), ("[[[[1]]]]", .limit, 4),
        ("[[[1]],[[[1]]]]", .limit, 10), ("[1,2,3,4,5,6,7,8,9,10,11,12]", .limit, 25),
        (String(repeating: " ", count: 200) + "1", .limit, 0),
    ]) func namesTheRule(text: String, rule: JSONTextError.Rule, offset: Int) {
        let error = #expect(throws: JSONTextError.self) { try Self.read(Array(text.utf8)) }
        #expect(error?.rule == rule)
        #expect(error?.offset == offset)
    }

    @Test func manyNames() {
        var names = JSONMemberNames()
        for round in 0..<2 {
            for i in 0..<40 {
                let isNew = names.insert("name \(i)")
                #expect(isNew == (round == 0))
            }
        }
    }
}
