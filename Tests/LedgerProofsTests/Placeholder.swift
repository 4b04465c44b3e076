import Testing
@Test func placeholderLedgerProofs() {}
