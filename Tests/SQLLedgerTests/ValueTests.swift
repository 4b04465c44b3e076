import Foundation
import LedgerProofs
import Testing

@testable import SQLLedger

@Suite struct ValueTests {
    @Test func ledgerIDs() throws {
        let id = try #require(LedgerID(hex: "000102030405060708090a0b0c0d0e0f"))
        #expect(id.bytes == Array(0..<16))
        #expect(LedgerID(id.bytes) == id)
        #expect(LedgerID(Array(0..<15)) == nil)
        #expect(LedgerID(hex: "000102030405060708090A0B0C0D0E0F") == nil)
        #expect(LedgerID(hex: "000102030405060708090a0b0c0d0e") == nil)
        #expect(LedgerID.random() != LedgerID.random())
    }

    /// Foundation's calendar agrees, leap years and centuries included.
    @Test func times() throws {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.calendar = Calendar(identifier: .iso8601)
        formatter.dateFormat = "yyyy-MM-dd'T'HH:mm:ss"
        var seconds: Int64 = -12_219_292_800  // 1582-10-15, when the calendars of Foundation part
        while seconds < 253_402_300_800 {
            let micro = abs(seconds * 7) % 1_000_000
            let time = try #require(CommitTime(microseconds: seconds * 1_000_000 + micro))
            let text =
                formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds)))
                + String(format: ".%06lldZ", micro)
            #expect(time.description == text)
            #expect(CommitTime(text) == time)
            seconds += 86_400 * 37 + 12_345
        }
    }

    @Test func timeLimits() throws {
        let first = try #require(CommitTime("0000-01-01T00:00:00.000000Z"))
        let last = try #require(CommitTime("9999-12-31T23:59:59.999999Z"))
        #expect(first.description == "0000-01-01T00:00:00.000000Z")
        #expect(last.description == "9999-12-31T23:59:59.999999Z")
        #expect(CommitTime(microseconds: first.microseconds - 1) == nil)
        #expect(CommitTime(microseconds: last.microseconds + 1) == nil)
        #expect(CommitTime("1970-01-01T00:00:00.000000Z")?.microseconds == 0)
        #expect(CommitTime("1969-12-31T23:59:59.999999Z")?.microseconds == -1)
        #expect(CommitTime("2000-02-29T00:00:00.000000Z") != nil)
        #expect(CommitTime("1900-02-29T00:00:00.000000Z") == nil)
        for text in ["", "1970-01-01T00:00:00.000000", "1970-1-01T00:00:00.0000000Z", "+970-01-01T00:00:00.000000Z"] {
            #expect(CommitTime(text) == nil)
        }
        let later = try #require(CommitTime("2999-01-01T00:00:00.000000Z"))
        #expect(CommitTime.now(notBefore: later) == later)
        #expect(CommitTime.now(notBefore: first) > first)
        #expect(abs(Double(CommitTime.now().microseconds) / 1e6 - Date().timeIntervalSince1970) < 5)
    }
}
