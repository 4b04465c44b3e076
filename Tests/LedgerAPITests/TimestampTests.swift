import LedgerAPI
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000001Z", 1),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2000-02-29T12:00:00+02:00", 951_818_400_000_000),
            ("2026-11-20 23:47:26.5z", 1_795_218_446_500_000),
            ("2026-11-20T23:47:26.1234567-00:30", 1_795_220_246_123_456),
        ] as [(String, Int64)])
    func reads(text: String, microseconds: Int64) {
        #expect(Timestamp.microseconds(text) == microseconds)
    }

    @Test(arguments: [
        "", "now", "2026-11-20", "2026-11-20T23:47:26", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-11-20T24:00:00Z", "2026-11-20T23:47:26.Z", "2026-11-20T23:47:26Zx", "2026-11-20T23:47:26+2:00",
        "2026-11-20T23:47:26+0200", "+026-11-20T23:47:26Z",
    ])
    func refuses(text: String) {
        #expect(Timestamp.microseconds(text) == nil)
    }

    @Test func writesWhatItReads() {
        for value: Int64 in [0, 1, -1, 951_818_400_000_000, 1_795_218_446_500_000, -62_135_596_800_000_000] {
            #expect(Timestamp.microseconds(Timestamp.text(microseconds: value)) == value)
        }
        #expect(Timestamp.text(microseconds: 1_795_218_446_500_000) == "2026-11-20T23:47:26.500000Z")
    }
}
