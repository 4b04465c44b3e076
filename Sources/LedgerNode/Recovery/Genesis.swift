import Foundation
import LedgerFormat
import LedgerProofs

/// The first transactions of a service (ccf-formats 3.7): genesis and its signature; then the operator's
/// acknowledgement and the opening with the first administrators, and their signature.
///
/// On one node the operator holds the only member key, so its acknowledgement and the opening need no ballot.
struct Genesis {
    static let constitution = """
        // Indelible, one-node service. Governance actions are built into the node; this text states them.
        // The operator member was named in the genesis transaction and opened the service.
        // Users and roles are changed by ledger users with the Administrator role, never by members.
        export function validate(input) {
          return { valid: false, description: "This service takes no proposals" };
        }
        export function resolve(proposal, proposerId, votes) {
          return "Rejected";
        }
        export function apply(proposal, proposalId) {
          throw new Error("This service takes no proposals");
        }
        """

    var keyring: Keyring
    var nodeCertificatePEM: String
    var publishedAddress: String
    /// User ids.
    var administrators: [String]
    var memberID: String

    private var memberKey: [UInt8] { Array(memberID.utf8) }
    private var createID: TransactionID { TransactionID(view: .initial, seqno: SequenceNumber(1)) }

    /// 2.1
    var creation: StateChange {
        var writes = WriteSet()
        let nodeKey = Array(keyring.nodeID.utf8)
        writes.put(.constitution, key: zeroKey, value: JSONText(Self.constitution).encoded())
        writes.put(.membersCerts, key: memberKey, value: Array(keyring.memberCertificatePEM.utf8))
        writes.put(.membersInfo, key: memberKey, value: MemberInfo(status: "Accepted").encoded())
        writes.put(.membersAcks, key: memberKey, value: MemberAck(stateDigest: "").encoded())
        writes.put(.nodesEndorsedCertificates, key: nodeKey, value: Array(nodeCertificatePEM.utf8))
        writes.put(.nodesInfo, key: nodeKey, value: nodeInfo.encoded())
        writes.put(.nodesVirtualHostData, key: Array(Digest32.zero.hex.utf8), value: zeroKey)
        writes.put(
            .nodesVirtualMeasurements, key: Array(VirtualQuote.measurement.utf8),
            value: JSONText("AllowedToJoin").encoded())
        writes.put(
            .serviceConfig, key: zeroKey,
            value: ServiceConfig(
                recoveryThreshold: 0,
                maximumNodeCertificateValidityDays: UInt64(CertificateMaker.nodeValidity),
                maximumServiceCertificateValidityDays: UInt64(CertificateMaker.serviceValidity)
            ).encoded())
        writes.put(.serviceInfo, key: zeroKey, value: service(.opening).encoded())
        return StateChange(writes: writes)
    }

    /// The acknowledgement names the root the operator has seen signed.
    func acknowledgement(of root: Digest32) -> StateChange {
        var writes = WriteSet()
        writes.put(.membersAcks, key: memberKey, value: MemberAck(stateDigest: root.hex).encoded())
        writes.put(.membersInfo, key: memberKey, value: MemberInfo(status: "Active").encoded())
        return StateChange(writes: writes)
    }

    /// Opens the service with its first administrators.
    func opening(_ state: LedgerState) throws -> StateChange {
        var writes = WriteSet()
        writes.put(.serviceInfo, key: zeroKey, value: service(.open).encoded())
        writes.put(
            .historicalEncryptedLedgerSecret, key: zeroKey,
            value: HistoricalEncryptedLedgerSecret(nextVersion: 1).encoded())
        for administrator in administrators {
            let user = LedgerUser(userID: administrator, roles: [BuiltInRole.administrator.rawValue])
            for map in try state.writesToSet(user).1.maps {
                for row in map.writes { writes.put(map.name, key: row.key, value: row.value) }
            }
        }
        return StateChange(writes: writes)
    }

    private func service(_ status: ServiceStatus) -> ServiceInfo {
        ServiceInfo(
            certificate: keyring.serviceCertificatePEM, status: status,
            currentServiceCreateTransaction: createID, recoveryCount: 0)
    }

    private var nodeInfo: NodeInfo {
        let quote = VirtualQuote.make(reportData: keyring.nodeKeyDigest)
        var info = NodeInfo(status: .trusted)
        info.publicKey = keyring.nodePublicKeyPEM
        info.quoteInfo = QuoteInfo(format: quote.format, quote: quote.raw)
        info.codeDigest = quote.measurement
        info.nodeToNodeInterface = .object(["bind_address": .string("")])
        info.rpcInterfaces = .object([
            "primary_rpc_interface": .object([
                "bind_address": .string(publishedAddress), "published_address": .string(publishedAddress),
                "protocol": .string("tcp"), "app_protocol": .string("HTTP2"),
                "endorsement": .object(["authority": .string("Service")]),
            ])
        ])
        info.ledgerSecretSeqno = 1
        return info
    }
}
