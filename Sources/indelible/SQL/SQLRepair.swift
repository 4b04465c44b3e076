import ArgumentParser

struct SQLRepair: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "repair")
    func run() throws {}
}
