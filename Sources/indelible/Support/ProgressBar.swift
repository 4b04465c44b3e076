import Foundation
import Synchronization

/// A bar on standard error, drawn at most ten times a second and only when that is a terminal that can clear a line. Never
/// wider than the terminal: what wraps would stay behind.
final class ProgressBar: Sendable {
    private struct State {
        var drawn: ContinuousClock.Instant?
        var isShown = false
    }

    private let unit: String
    /// Whether anybody sees it.
    static let isShown = isTerminal && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    static let isTerminal = isatty(STDERR_FILENO) == 1

    private let started = ContinuousClock.now
    private let state = Mutex(State())

    init(unit: String) { self.unit = unit }

    /// `total` 0: unknown.
    func update(_ done: UInt64, of total: UInt64) {
        guard Self.isShown else { return }
        let now = ContinuousClock.now
        let due = state.withLock { state in
            if let drawn = state.drawn, now - drawn < .milliseconds(100), done != total { return false }
            state.drawn = now
            state.isShown = true
            return true
        }
        guard due else { return }
        let elapsed = (now - started).components
        let seconds = max(0.001, Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
        let rate = UInt64(Double(done) / seconds)
        guard total > 0 else {
            return draw("\(done) \(unit)  \(rate)/s")
        }
        let filled = Int(min(30, done * 30 / total))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
        draw("[\(bar)] \(done)/\(total) \(unit)  \(rate)/s")
    }

    private func draw(_ text: String) { Output.progress("\r\u{1B}[K" + text.prefix(Self.width())) }

    /// The columns that can be written without reaching the last, asked anew each time: windows change. 79 when unknown.
    private static func width() -> Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return 79 }
        return Int(size.ws_col) - 1
    }

    /// Removes the bar, so that other lines may be written.
    func clear() {
        let wasShown = state.withLock { state in
            defer { state.isShown = false }
            return state.isShown
        }
        if wasShown { Output.progress("\r\u{1B}[K") }
    }
}
