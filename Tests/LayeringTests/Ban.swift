/// A pattern that may not occur in `Sources`, and why.
struct Ban {
    var pattern: Regex<Substring>
    var reason: String

    static var all: [Ban] {
        [
            Ban(pattern: /\btry!/, reason: "try! traps on bad input"),
            Ban(pattern: /\bas!/, reason: "as! traps on bad input"),
            Ban(pattern: /[\w\)\]]!(?=[\s\.\)\],:;?]|$)(?!\s*=[^=])/, reason: "force unwrap"),
        ]
    }
}
