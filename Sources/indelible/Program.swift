import ArgumentParser
import Foundation

/// The program: reads arguments, runs one command, turns errors into one line and an exit code.
@main
enum Program {
    static func main() async {
        do {
            var command = try Indelible.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            exit(report(error))
        }
    }

    /// Tells what went wrong and returns the exit code.
    static func report(_ error: any Error) -> Int32 {
        if let status = error as? ExitStatus { return status.rawValue }
        if let failure = Failure(describing: error) {
            Output.error(failure.message)
            return failure.status.rawValue
        }
        // What is left is the argument parser's: help, version and usage errors (its own code 64 is our 2).
        let message = Indelible.fullMessage(for: error)
        if Indelible.exitCode(for: error) == .success {
            Output.line(message)
            return ExitStatus.fine.rawValue
        }
        Output.diagnostic(message.hasPrefix("Error: ") ? "error: " + message.dropFirst(7) : message)
        return ExitStatus.unableToTell.rawValue
    }
}
