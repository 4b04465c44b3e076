import ArgumentParser
import Foundation

/// The program: reads arguments, runs one command, turns errors into one line and an exit code.
@main
enum Program {
    static func main() async {
        openStandardDescriptors()
        // A reader that has gone away shows where something is written to it, the same in every command.
        signal(SIGPIPE, SIG_IGN)
        do {
            try ProgramInput.check()
            try checkHelp(ProgramInput.words)
            var command = try Indelible.parseAsRoot(HelpOption.spelledOut(Array(ProgramInput.words)))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            exit(report(error))
        }
    }

    /// Those with which the program was started closed (`>&-`) would become files or sockets of its own, which what it prints
    /// would go into. What is printed for nobody is an error as before, but for a service, whose lines nobody need read.
    private static func openStandardDescriptors() {
        // The lowest free number is taken, and nothing is open yet but what the program was given.
        for descriptor in 0...2 as ClosedRange<Int32> where fcntl(descriptor, F_GETFD) == -1 {
            let isLost = descriptor == STDOUT_FILENO && ProgramInput.words.first != "serve"
            _ = open("/dev/null", isLost ? O_RDONLY : O_RDWR)
        }
    }

    /// `help` of a command that is not there says so, instead of showing the overview.
    private static func checkHelp(_ words: ArraySlice<String>) throws {
        guard words.first == "help" else { return }
        var command: any ParsableCommand.Type = Indelible.self
        for word in words.dropFirst() where !word.hasPrefix("-") {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else {
                throw Failure("help: there is no command '\(word)'")
            }
            command = next
        }
    }

    /// The argument parser repeats arguments as they are: its error about plain ones, which is the same.
    private static func plain(_ error: any Error) -> any Error {
        let words = ProgramInput.words.map(PlainText.of)
        guard !words.elementsEqual(ProgramInput.words) else { return error }
        do {
            _ = try Indelible.parseAsRoot(HelpOption.spelledOut(words))
        } catch let plain {
            return plain
        }
        return error
    }

    /// Tells what went wrong and returns the exit code.
    static func report(_ error: any Error) -> Int32 {
        if let status = error as? ExitStatus { return status.rawValue }
        if let failure = Failure(describing: error) {
            Output.error(failure.plain)
            return failure.status.rawValue
        }
        // What is left is the argument parser's: help, version and usage errors (its own code 64 is our 2).
        let message = Indelible.fullMessage(for: plain(error))
        if Indelible.exitCode(for: error) == .success {
            // A command without its subcommand did nothing, and nobody asked for help.
            guard ProgramInput.words.first == "help" || ProgramInput.words.contains(where: { $0.hasPrefix("-") }) else {
                Output.diagnostic(HelpOption.listed(message))
                return ExitStatus.unableToTell.rawValue
            }
            Output.line(HelpOption.listed(message))
            return ExitStatus.fine.rawValue
        }
        Output.diagnostic(message.hasPrefix("Error: ") ? "error: " + message.dropFirst(7) : message)
        if message.contains("Unknown option") || message.contains("Missing expected argument"),
            let name = HelpOption.dashedName(ProgramInput.words)
        {
            Output.diagnostic("To name a file that begins with a dash, write ./\(PlainText.of(name)), or -- before it.")
        }
        return ExitStatus.unableToTell.rawValue
    }
}
