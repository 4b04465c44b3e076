/// The exit codes of every command. Thrown by itself when everything was already said.
enum ExitStatus: Int32, Error {
    case fine = 0
    case proofFailed = 1
    case unableToTell = 2
}
