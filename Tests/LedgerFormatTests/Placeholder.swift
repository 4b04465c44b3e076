import Testing
@Test func placeholderLedgerFormat() {}
