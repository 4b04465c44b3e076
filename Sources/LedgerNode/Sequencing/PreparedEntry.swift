import LedgerFormat
import LedgerProofs

/// An entry on its way into the ledger, with everything made that does not depend on its place there. Made on the
/// caller's thread: callers run side by side, the sequencer is one thread that all of them wait for.
struct PreparedEntry: Sendable {
    let collectionID: String
    let author: String
    let tags: [String]
    let claimsDigest: Digest32
    /// The entry's value, up to its time.
    private let head: [UInt8]

    /// With a fresh secret key, which keeps the claims digest from revealing guessable contents.
    init(_ request: AppendRequest) {
        self.init(request, secretKey: Self.randomKey())
    }

    /// - Parameter secretKey: 32 bytes.
    init(_ request: AppendRequest, secretKey: [UInt8]) {
        collectionID = request.collectionID
        author = request.author.userID
        tags = request.tags
        claimsDigest = ApplicationClaim.claimsDigest([
            .ledgerEntry(collectionID: request.collectionID, contents: request.contents, secretKey: secretKey)
        ])
        head = EntryValue.encodeHead(
            author: author, contents: request.contents, requestID: request.requestID, secretKey: secretKey, tags: tags)
    }

    /// The entry's value. `time` is microseconds since 1970.
    func value(time: Int64) -> [UInt8] { EntryValue.complete(head, time: time) }

    private static func randomKey() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            SystemCalls.fillRandomly(UnsafeMutableRawBufferPointer(buffer))
            count = 32
        }
    }
}
