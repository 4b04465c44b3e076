import LedgerClient
import LedgerProofs

/// Appends many entries, some at the same time, and prints their ids in the order of the input.
struct AppendRun {
    var batch: String
    var skip: Int
    var jobs: Int
    var options: AppendOptions
    var asJSON: Bool

    private struct Line: Encodable {
        var index: Int
        var transactionId: String
        var collectionId: String
        var verified: Bool
    }

    /// One finished append. A class, so that only a reference passes through the task group: as a tuple of number and
    /// result it arrived damaged in optimised builds (Swift 6.3.1, the number was that of another task or rubbish).
    private final class Finished: Sendable {
        let number: Int
        let result: Result<AppendedEntry, any Error>

        init(_ number: Int, _ result: Result<AppendedEntry, any Error>) {
            self.number = number
            self.result = result
        }
    }

    private static func one(
        _ number: Int, _ contents: String, _ options: AppendOptions, _ client: LedgerClient
    ) async -> Finished {
        do {
            return Finished(number, .success(try await client.append(contents, options: options)))
        } catch {
            return Finished(number, .failure(error))
        }
    }

    /// What is held back until the entries before it are printed is bounded by this many times `jobs`.
    private static let window = 8

    func append(_ source: EntrySource, with client: LedgerClient) async throws {
        let bar = ProgressBar(unit: "entries")
        let interruption = AppendInterruption(printed: skip)
        // A single entry needs no advice.
        guard source.count != 1 else { return try await append(source, with: client, bar, interruption) }
        try await interruption.watched(bar, advice: { [self] in advice(finished: $0, prefix: $1) }) {
            try await append(source, with: client, bar, interruption)
        }
    }

    private func append(
        _ source: EntrySource, with client: LedgerClient, _ bar: ProgressBar, _ interruption: AppendInterruption
    ) async throws {
        var source = source
        let total = source.count.map { UInt64(max(0, $0 - skip)) } ?? 0
        var index = 0
        while index < skip, try source.next() != nil { index += 1 }
        // Another input than the one that was broken off: nothing of it would be written, and nobody told.
        guard index == skip else { throw Failure("--skip: \(skip) is more than the \(index) entries of the input") }
        var printed = index
        var finished = 0
        var done: [Int: AppendedEntry] = [:]
        var failure: (index: Int, error: any Error)?
        /// Why no further ids can be told. What is on its way is waited for.
        var silence: Failure?
        var isAtEnd = false

        await withTaskGroup(of: Finished.self) { group in
            var running = 0
            while true {
                while !isAtEnd, failure == nil, silence == nil, running < jobs, index - printed < jobs * Self.window {
                    do {
                        guard let contents = try source.next() else {
                            isAtEnd = true
                            break
                        }
                        var options = options
                        options.requestID = RequestID.stable(batch: batch, index: index)
                        let number = index
                        group.addTask { [options] in
                            let answer = await Self.one(number, contents, options, client)
                            if case .success = answer.result { interruption.finishOne() }
                            return answer
                        }
                        index += 1
                        running += 1
                    } catch {
                        failure = (index, error)
                    }
                }
                guard let next = await group.next() else { break }
                let number = next.number
                running -= 1
                switch next.result {
                case .success(let entry):
                    done[number] = entry
                    finished += 1
                case .failure(let error):
                    if failure.map({ number < $0.index }) ?? true { failure = (number, error) }
                }
                while silence == nil, let entry = done[printed] {
                    bar.clear()
                    do throws(Failure) {
                        try show(entry, index: printed)
                        done[printed] = nil
                        printed += 1
                    } catch {
                        silence = error
                    }
                }
                interruption.update(printed: printed)
                bar.update(UInt64(finished), of: total)
            }
        }
        bar.clear()
        do throws(Failure) {
            for (number, entry) in done.sorted(by: { $0.key < $1.key }) where silence == nil {
                try show(entry, index: number)
            }
        } catch {
            silence = error
        }
        if var silence {
            let told =
                if finished == 1, let entry = done.first?.value {
                    "the entry was committed as \(entry.transactionID)"
                } else {
                    advice(finished: finished, prefix: printed)
                }
            silence.lines.append(told)
            throw silence
        }
        if let failure { throw explained(failure.error, at: failure.index, finished: finished, prefix: printed) }
    }

    private func show(_ entry: AppendedEntry, index: Int) throws(Failure) {
        let id = entry.transactionID.description
        let line =
            asJSON
            ? Output.jsonLine(
                Line(
                    index: index, transactionId: id, collectionId: entry.collectionID, verified: entry.verified != nil))
            : Array((id + "\n").utf8)
        try Output.tell(line)
    }

    /// One entry needs no advice; for more, how to go on without writing anything twice.
    private func explained(_ error: any Error, at index: Int, finished: Int, prefix: Int) -> any Error {
        guard var failure = Failure(describing: error), index > 0 || finished > 0 else { return error }
        failure.lines = [
            "entry \(index + 1) of the input: \(failure.message)", advice(finished: finished, prefix: prefix),
        ]
        return failure
    }

    private func advice(finished: Int, prefix: Int) -> String {
        "\(finished) entries were committed. To go on without repeating any, run the same command with "
            + "--batch-id \(batch) --skip \(prefix) within ten minutes: so long the ledger knows what it was sent; later, "
            + "entries after number \(prefix) may be written again"
    }
}
