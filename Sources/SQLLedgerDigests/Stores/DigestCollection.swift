import SQLLedger

/// The name of the collection in which a database keeps its digests, unless its store's URL names another.
///
/// The reference product's layout: a name can be reused and a database restored, so the time of creation is part of
/// the name.
public enum DigestCollection {
    /// `sqldbledgerdigests/<database>/<create time>`. Characters of the database's name that could be taken for a
    /// separator are written as `%2F` and `%25`; a long name is cut so that the id stays within a server's limit.
    public static func name(database: String, createTime: CommitTime) -> String {
        var name = ""
        for character in database.unicodeScalars {
            let next: String =
                switch character {
                case "/": "%2F"
                case "%": "%25"
                default: String(character)
                }
            guard name.utf8.count + next.utf8.count <= 512 else { break }
            name += next
        }
        return "sqldbledgerdigests/\(name)/\(createTime)"
    }
}
