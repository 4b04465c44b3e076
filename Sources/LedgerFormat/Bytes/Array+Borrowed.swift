extension [UInt8] {
    /// `withUnsafeBytes` with typed throws. The pointer must not escape.
    func borrowed<R>(
        _ body: (UnsafeRawBufferPointer) throws(LedgerFormatError) -> R
    ) throws(LedgerFormatError) -> R {
        let result: Result<R, LedgerFormatError> = withUnsafeBytes { raw in
            do throws(LedgerFormatError) {
                return .success(try body(raw))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
