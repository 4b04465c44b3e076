import LedgerClient
import SQLLedger

extension DigestStoreURL {
    /// The store at this place. Nothing is opened or sent yet.
    /// - Throws: `DigestStoreError.refused` when an option that this kind of store needs is missing or unusable.
    public func open(_ options: DigestStoreOptions = DigestStoreOptions()) throws -> any DigestArchive {
        switch self {
        case .directory(let path):
            return DirectoryDigestStore(path: path)
        case .confidentialLedger(let endpoint, let named):
            guard let collection = named ?? options.defaultCollection else {
                throw DigestStoreError(.refused, "\(self): names no collection; write \(self)?collection=NAME")
            }
            guard let certificate = options.serviceCertificatePEM else {
                throw DigestStoreError(.refused, "\(self): a service certificate to pin is needed")
            }
            var configuration = LedgerClientConfiguration(
                endpoint: endpoint, serviceCertificatePEM: certificate, credential: options.credential)
            configuration.retries = options.retries
            return try ConfidentialLedgerDigestStore(configuration, collection: collection)
        }
    }
}
