// modules: LedgerProofs
// expect: crash
import LedgerProofs

/// Must crash: it traps on four bytes that only a fuzzer that sees the branches can find in time. If it does not, the
/// other targets prove nothing.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCanary(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    if input.count > 3, input[0] == UInt8(ascii: "t"), input[1] == UInt8(ascii: "r"), input[2] == UInt8(ascii: "a"),
        input[3] == UInt8(ascii: "p")
    {
        fatalError("the canary was found, as it must be")
    }
    return 0
}
