import JWTKit

/// Keeps the token library's names out of tests that are about something else.
enum JWTKey {
    static func make() -> ES256PrivateKey { ES256PrivateKey() }
}
