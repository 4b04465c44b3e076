import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerProofs
import NIOCore

extension Response {
    /// 200 with JSON bytes, and the id of the state read or written.
    static func json(
        _ bytes: [UInt8], _ id: TransactionID? = nil, status: HTTPResponse.Status = .ok
    ) -> Response {
        var headers = HTTPFields()
        headers.reserveCapacity(3)
        headers.append(HTTPField(name: .contentType, value: "application/json"))
        if let id { headers.append(HTTPField(name: FieldNames.transactionID, value: id.description)) }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The same for a value.
    static func json(_ value: JSONValue, _ id: TransactionID? = nil, status: HTTPResponse.Status = .ok) -> Response {
        .json(value.encoded(), id, status: status)
    }

    /// 204 with the id.
    static func noContent(_ id: TransactionID) -> Response {
        Response(status: .noContent, headers: [FieldNames.transactionID: id.description])
    }
}
