import Testing
@Test func placeholderLedgerNode() {}
