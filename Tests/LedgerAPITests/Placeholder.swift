import Testing
@Test func placeholderLedgerAPI() {}
