import LedgerNode
import LedgerProofs

/// The handlers, by topic in the extensions. Wire words come in and go out here; the ledger never sees them.
struct LedgerRoutes: Sendable {
    let ledger: Ledger
    let configuration: LedgerServerConfiguration
    let gauge: ConnectionGauge
    let digests = FileDigests()

    /// Everything but `/metrics`, which needs the table itself.
    var routes: [Route] {
        transactionRoutes + collectionRoutes + userRoutes + roleRoutes + governanceRoutes + absentRoutes
            + commonRoutes(prefix: "/app") + commonRoutes(prefix: "/node") + nodeRoutes + fileRoutes + identityRoutes
            + healthRoutes
    }
}
