import SQLLedgerConformance
import Testing

/// The engine contract, run against the SQLite engine.
@Suite struct SQLiteConformanceTests {
    private let suite = EngineConformance { try SQLiteConformanceDatabase() }

    @Test(arguments: ConformanceLaw.allCases) func law(_ law: ConformanceLaw) {
        #expect(suite.failures(of: law).isEmpty)
    }

    @Test(arguments: TamperingCase.allCases) func tampering(_ tampering: TamperingCase) {
        #expect(suite.failures(of: tampering).isEmpty)
    }

    /// The suite itself: an engine with a fault breaks the law that forbids it.
    @Test(arguments: EngineFault.allCases) func faultsAreFound(_ fault: EngineFault) {
        let faulty = EngineConformance { try SQLiteConformanceDatabase(fault: fault) }
        #expect(!faulty.failures(of: fault.law).isEmpty)
    }

    /// Nothing that was not done is found, so each tampering is told from an honest database.
    @Test(arguments: TamperingCase.allCases) func tamperingIsNoticed(_ tampering: TamperingCase) {
        let idle = EngineConformance { try SQLiteConformanceDatabase(tampers: false) }
        #expect(!idle.failures(of: tampering).isEmpty)
    }
}
