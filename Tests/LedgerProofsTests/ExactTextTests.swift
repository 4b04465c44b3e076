import LedgerProofs
import Testing

@Suite struct ExactTextTests {
    @Test(arguments: [("caf\u{E9}", "cafe\u{301}"), ("\u{212A}im", "Kim"), ("a\u{323}\u{307}", "a\u{307}\u{323}")])
    func textsThatUnicodeCallsEquivalentAreTwo(a: String, b: String) {
        #expect(a == b, "else this shows nothing")
        #expect(ExactText(a) != ExactText(b))
        #expect(Set([ExactText(a), ExactText(b), ExactText(a)]).count == 2)
        #expect((ExactText(a) < ExactText(b)) != (ExactText(b) < ExactText(a)))
        #expect(!ExactText.same(a, b[...]) && ExactText.same(a, Substring(a)))
        #expect(![a].containsExactly(b) && [a].containsExactly(a))
    }

    @Test func eachByteCounts() {
        for count in 0...40 {
            let text = String(repeating: "a", count: count)
            #expect(ExactText.same(text, text[...]) && !ExactText.same(text, text + "a"))
            for place in 0..<count {
                var other = Array(text.utf8)
                other[place] = UInt8(ascii: "b")
                #expect(!ExactText.same(text, String(decoding: other, as: UTF8.self)), "\(place) of \(count)")
            }
        }
    }
}
