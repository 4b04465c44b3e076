import LedgerProofs
import Testing

@Suite struct EncodingTests {
    @Test func base64RoundTripsAndIsStrict() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode(Array("light work.".utf8)) == "bGlnaHQgd29yay4=")
        for text in [
            "A", "AA", "AAA", "AA=A", "====", "A===", "AB==", "AAB=", "AA==AAAA",
            "AA\nAA", "AA-_", "AAAA\n", " AAAA",
        ] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }

    @Test func pemAcceptsLineEndsAndOneNUL() throws {
        let der = [UInt8](0..<100)
        let pem = PEM.encode(der, label: "CERTIFICATE")
        for text in [pem, String(pem.dropLast()), pem.replacingOccurrences("\n", "\r\n"), pem + "\0", pem + "\n\n"] {
            #expect(try PEM.decode(text, label: "CERTIFICATE") == der)
        }
        for text in [
            "", "x" + pem, pem + pem, pem + "x", pem + "\0\0", " " + pem,
            pem.replacingOccurrences("END C", "END X"),
        ] {
            #expect(throws: ProofError.self) { try PEM.decode(text, label: "CERTIFICATE") }
        }
        #expect(throws: ProofError.self) { try PEM.decode(pem, label: "PUBLIC KEY") }
    }

    @Test func cborRoundTrips() throws {
        let numbers: [UInt64] = [0, 1, 23, 24, 255, 256, 65535, 65536, 0xFFFF_FFFF, 0x1_0000_0000, .max]
        let value = CBOR.tagged(
            18,
            .array(
                numbers.map { .unsigned($0) } + numbers.map { .negative($0) } + [
                    .bytes([]), .bytes([UInt8](repeating: 7, count: 300)), .text("é"), .bool(true),
                    .bool(false), .null,
                    .map([.init(.integer(-1), .text("a")), .init(.text("ccf.v1"), .map([]))]),
                ]))
        #expect(try CBOR(decoding: value.encoded()) == value)
        #expect(CBOR.integer(-35).encoded() == [0x38, 0x22])
        #expect(CBOR.integer(Int64.min).integer == Int64.min)
        #expect(CBOR.negative(.max).integer == nil)
    }

    @Test(arguments: [
        ("nothing", ""), ("trailing byte", "0000"), ("long form of 23", "1817"), ("long form of 255", "1900ff"),
        ("long form of 65535", "1a0000ffff"), ("long form of 2^32-1", "1b00000000ffffffff"), ("reserved length", "1c"),
        ("indefinite bytes", "5f4101ff"), ("indefinite array", "9fff"), ("indefinite map", "bfff"), ("break", "ff"),
        ("bytes cut off", "4201"), ("array cut off", "8201"), ("map cut off", "a101"),
        ("huge array", "9bffffffffffffffff"),
        ("huge bytes", "5bffffffffffffffff"), ("not UTF-8", "62c328"), ("surrogate", "63eda080"), ("float", "f93c00"),
        ("undefined", "f7"), ("simple in two bytes", "f8ff"), ("key twice", "a201000100"), ("tag without value", "d2"),
    ])
    func cborFaults(name: String, hex: String) throws {
        let bytes = try #require(Hex.decode(hex))
        #expect(throws: ProofError.self, "\(name)") { try CBOR(decoding: bytes) }
    }

    @Test func cborLimits() {
        let deep = [UInt8](repeating: 0x81, count: 200) + [0]
        #expect(throws: ProofError(code: .outOfRange, reason: "")) { try CBOR(decoding: deep) }
        let wide: [UInt8] = [0x99, 0x20, 0x00] + [UInt8](repeating: 0, count: 0x2000)
        #expect(throws: ProofError(code: .outOfRange, reason: "")) { try CBOR(decoding: wide) }
        #expect(throws: ProofError(code: .outOfRange, reason: "")) {
            try CBOR(decoding: [0x41, 0], limits: DecodingLimits(maximumByteCount: 1))
        }
    }
}

extension String {
    fileprivate func replacingOccurrences(_ old: String, _ new: String) -> String {
        split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
}
