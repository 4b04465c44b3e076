/// The version of the program, told by `--version`.
enum ProgramVersion {
    static let text = "0.1.0"
}
