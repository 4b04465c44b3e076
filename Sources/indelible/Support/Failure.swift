import Foundation
import LedgerClient
import LedgerNode

/// An error as the user sees it: one line, seldom several, and an exit code.
struct Failure: Error, CustomStringConvertible {
    /// Line ends inside of one of them come from elsewhere and end no line.
    var lines: [String]
    var status: ExitStatus

    var message: String { lines.joined(separator: "\n") }
    /// As it is shown.
    var plain: String { lines.map(PlainText.of).joined(separator: "\n") }
    var description: String { message }

    init(_ message: String, status: ExitStatus = .unableToTell) {
        self.init(lines: [message], status: status)
    }

    init(lines: [String], status: ExitStatus = .unableToTell) {
        self.lines = lines
        self.status = status
    }

    /// `nil` for the argument parser's own errors.
    init?(describing error: any Error) {
        switch error {
        case let failure as Failure:
            self = failure
        case let error as LedgerClientError:
            // The server's words are in it.
            self.init(PlainText.of(error.reason), status: error.code == .proofFailed ? .proofFailed : .unableToTell)
        case let error as LedgerError:
            self.init(PlainText.of(error.reason), status: error.code == .corrupt ? .proofFailed : .unableToTell)
        case is CancellationError:
            self.init("interrupted")
        case let error as CocoaError:
            let path = error.filePath.map { "\($0): " } ?? ""
            self.init(path + error.localizedDescription)
        default:
            let type = String(reflecting: Swift.type(of: error))
            if type.hasPrefix("ArgumentParser.") { return nil }
            self.init(PlainText.of("\(error)"))
        }
    }
}
