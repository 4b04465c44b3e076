import Testing
@Test func placeholderLedgerServer() {}
