import ArgumentParser
import Foundation
import LedgerClient
import LedgerProofs

/// `indelible receipt verify`
struct ReceiptVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify a receipt offline; JSON and COSE are told apart by their bytes.",
        discussion: """
            Proves that the service with this certificate committed the transaction. With contents it also proves \
            that they are what was committed; a COSE receipt, and a JSON receipt stored without its claims, then need \
            the entry's secret key (applicationClaims[0].ledgerEntry.secretKey of the receipt answer).

            Exit codes: 0 proved, 1 not proved, 2 unable to tell.

            EXAMPLES
              indelible receipt verify receipt.json --service-certificate service_cert.pem
              indelible receipt verify receipt.json \\
                  --service-certificate service_cert.pem \\
                  --claims-contents "hello" --collection subledger:0
            """)

    @Argument(help: "The receipt; - is standard input.")
    var file: String

    @Option(
        help: ArgumentHelp("The service certificate, PEM. (env INDELIBLE_SERVICE_CERTIFICATE)", valueName: "file"))
    var serviceCertificate: String?

    @Option(help: ArgumentHelp("The entry must have these contents.", valueName: "text"))
    var claimsContents: String?

    @Option(help: ArgumentHelp("The entry must have the contents of this file, byte for byte.", valueName: "file"))
    var contentsFile: String?

    @Option(help: "The entry must be in this collection.")
    var collection: String?

    @Option(help: ArgumentHelp("The receipt must be of this transaction.", valueName: "id"))
    var transaction: TransactionArgument?

    @Option(help: ArgumentHelp("The entry's secret key, for receipts without claims.", valueName: "base64"))
    var secretKey: String?

    @OptionGroup var output: JSONOption

    private struct Result: Encodable {
        var verified: Bool
        var format: String
        var transactionId: String?
        var collectionId: String?
        var root: String?
        var claimsChecked: Bool
        var reasons: [String]?
    }

    func validate() throws {
        if claimsContents != nil, contentsFile != nil {
            throw ValidationError("give --claims-contents or --contents-file, not both")
        }
    }

    func run() throws {
        let bytes = try InputFile.bytesOrStandardInput(
            file, limit: UnverifiedReceiptDocument.defaultLimits.maximumByteCount)
        guard !bytes.isEmpty else { throw Failure("\(file): is empty, not a receipt") }
        try InputFile.checkEncoding(bytes, file)
        let environment = ProcessInfo.processInfo.environment["INDELIBLE_SERVICE_CERTIFICATE"]
        guard let pin = serviceCertificate ?? environment, !pin.isEmpty else {
            throw Failure("no service certificate: give --service-certificate FILE")
        }
        let verifier: ReceiptVerifier
        do {
            verifier = try ReceiptVerifier(serviceCertificatePEM: try InputFile.smallText(pin))
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure("\(pin): is not a service certificate (\(error))")
        }
        let contents = try contentsFile.map { try InputFile.text($0) } ?? claimsContents
        let check = ReceiptCheck(transactionID: transaction?.id, collectionID: collection, contents: contents)
        let isJSON = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
        do {
            let receipt: VerifiedReceipt
            var claimsChecked = contents != nil || collection != nil
            var claimCollection = collection
            if isJSON {
                let document = try document(bytes)
                if let given = try claims(contents), document.applicationClaims.isEmpty {
                    receipt = try check.verify(document, claims: given, with: verifier)
                } else {
                    guard !claimsChecked || !document.applicationClaims.isEmpty else {
                        throw Failure("\(file): holds no application claims; give --secret-key to check contents")
                    }
                    receipt = try check.verify(document, claims: document.applicationClaims, with: verifier)
                    claimsChecked = !document.applicationClaims.isEmpty
                    if case .ledgerEntry(let id, _, _)? = document.applicationClaims.first { claimCollection = id }
                }
            } else {
                do {
                    _ = try UnverifiedCOSEReceipt(cose: bytes)
                } catch {
                    throw Failure("\(file): is neither a JSON nor a COSE receipt (\(error))")
                }
                let given = try claims(contents)
                guard !claimsChecked || given != nil else {
                    throw Failure("\(file): a COSE receipt holds no claims; give --secret-key to check contents")
                }
                receipt = try check.verify(cose: bytes, claims: given, with: verifier)
            }
            tell(
                Result(
                    verified: true, format: isJSON ? "json" : "cose",
                    transactionId: receipt.transactionID?.description, collectionId: claimCollection,
                    root: receipt.root.hex, claimsChecked: claimsChecked))
        } catch let error as LedgerClientError where error.code == .proofFailed {
            tell(
                Result(
                    verified: false, format: isJSON ? "json" : "cose", claimsChecked: false, reasons: [error.reason]))
            throw ExitStatus.proofFailed
        }
    }

    /// A file that is no receipt at all proves nothing either way.
    private func document(_ bytes: [UInt8]) throws -> UnverifiedReceiptDocument {
        do {
            return try UnverifiedReceiptDocument(json: bytes)
        } catch {
            throw Failure("\(file): is not a receipt (\(error))")
        }
    }

    private func claims(_ contents: String?) throws -> [ApplicationClaim]? {
        guard let secretKey else { return nil }
        guard let contents else { throw Failure("--secret-key: needs --claims-contents or --contents-file") }
        guard let key = Data(base64Encoded: secretKey) else { throw Failure("--secret-key: is not base64") }
        return [
            .ledgerEntry(collectionID: collection ?? "subledger:0", contents: contents, secretKey: Array(key))
        ]
    }

    private func tell(_ result: Result) {
        if output.json {
            Output.json(result)
        } else if result.verified {
            let claims = result.claimsChecked ? ", its claims match" : ", claims not checked"
            let what = result.transactionId.map { "transaction \($0)" } ?? "a signature transaction (it names no id)"
            Output.line("\(Style.good("verified")) \(what)\(claims)")
        } else {
            let reasons = PlainText.of((result.reasons ?? []).joined(separator: "; "))
            Output.error("\(PlainText.of(file)): \(Style.bad("not proved")): \(reasons)")
        }
    }
}
