/// A sorted sequence of records, in pieces that are in memory or in the temporary file.
struct LeafRun: Sendable {
    struct Piece: Sendable {
        var first: UInt64
        var last: UInt64
        var count: Int
        var place: Place
    }

    enum Place: Sendable {
        case memory(RecordBlock)
        case file(offset: Int64)
    }

    var pieces: [Piece] = []
    private(set) var last: LeafRecord?

    mutating func append(_ piece: Piece, last: LeafRecord) {
        pieces.append(piece)
        self.last = last
    }
}
