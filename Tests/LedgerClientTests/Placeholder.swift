import Testing
@Test func placeholderLedgerClient() {}
