import Foundation
import LedgerProofs
import Testing

@testable import LedgerNode

@Suite struct PreparedEntryTests {
    private static let requests = [
        AppendRequest(contents: "hello", author: alice),
        AppendRequest(contents: "", collectionID: "é", tags: ["a", "b\""], author: alice, requestID: "r\n"),
    ]

    @Test(arguments: requests.indices) func givesTheValueAndTheClaimsOfTheEntry(_ index: Int) throws {
        let request = Self.requests[index]
        let key = (0..<32).map { UInt8($0) }
        let entry = PreparedEntry(request, secretKey: key)
        for time in [0, 1_700_000_000_000_000, Int64.max] {
            let value = EntryValue.encode(
                author: request.author.userID, contents: request.contents, requestID: request.requestID,
                secretKey: key, tags: request.tags, time: time)
            #expect(entry.value(time: time) == value)
        }
        #expect(
            entry.claimsDigest
                == ApplicationClaim.claimsDigest([
                    .ledgerEntry(collectionID: request.collectionID, contents: request.contents, secretKey: key)
                ]))
        #expect(entry.collectionID == request.collectionID && entry.author == request.author.userID)
        #expect(entry.tags == request.tags)
    }

    @Test func everyEntryHasAKeyOfItsOwn() throws {
        let keys = try (0..<100).map { _ in
            try EntryValue(decoding: PreparedEntry(Self.requests[0]).value(time: 1)).secretKey
        }
        #expect(keys.allSatisfy { $0.count == 32 })
        #expect(Set(keys).count == keys.count)
        // Random bytes, not a counter: no position holds the same byte everywhere.
        for position in 0..<32 { #expect(Set(keys.map { $0[$0.startIndex + position] }).count > 20) }
    }
}
