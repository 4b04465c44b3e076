import Foundation
import Testing

@testable import LedgerNode

@Suite struct EntryValueTests {
    private static let texts = [
        "", "plain", "quote \" backslash \\ slash /", "line\nfeed\r\ttab", "\u{0}\u{1}\u{1F}", "é 日本 😀", "{\"a\":1}",
        "\u{7F}", "ends in backslash \\",
    ]

    @Test(arguments: texts, texts) func roundTrip(_ contents: String, _ other: String) throws {
        let key = [UInt8](repeating: 7, count: 32)
        for (requestID, tags) in [(nil, []), (other, []), (nil, [other, contents]), (other, [contents])]
            as [(String?, [String])]
        {
            let bytes = EntryValue.encode(
                author: other, contents: contents, requestID: requestID, secretKey: key, tags: tags, time: 1_234)
            let value = try #require(EntryValueReader.read(bytes))
            let general = try JSONDecoder().decode(EntryValue.self, from: Data(bytes))
            #expect(value == general)
            #expect(value.contents == contents && value.author == other && value.requestId == requestID)
            #expect((value.tags ?? []) == tags && value.time == 1_234 && Array(value.secretKey) == key)
        }
    }

    @Test func everyPrefixAndOtherFormsAreLeftToTheGeneralParser() {
        let bytes = EntryValue.encode(
            author: "a", contents: "b\n", requestID: "r", secretKey: [1, 2, 3], tags: ["t"], time: 5)
        for count in 0..<bytes.count { #expect(EntryValueReader.read(Array(bytes.prefix(count))) == nil) }
        #expect(EntryValueReader.read(bytes + [0x20]) == nil)
    }
}
