import Foundation
import LedgerFormat
import LedgerProofs

/// The value of one entry in the log map: compact JSON, keys sorted (Documentation/spec/entry-value.md).
struct EntryValue: Codable, Equatable {
    var author: String
    var contents: String
    var requestId: String?
    var secretKey: Data
    var tags: [String]?
    /// Microseconds since 1970.
    var time: Int64

    static func isLog(_ name: MapName) -> Bool { name == .publicLogs || name == .privateLogs }

    static func log(for type: NodeConfiguration.LedgerType) -> MapName {
        type == .public ? .publicLogs : .privateLogs
    }

    init(
        author: String, contents: String, requestId: String?, secretKey: Data, tags: [String]?, time: Int64
    ) {
        self.author = author
        self.contents = contents
        self.requestId = requestId
        self.secretKey = secretKey
        self.tags = tags
        self.time = time
    }

    init(decoding bytes: [UInt8]) throws {
        if let value = EntryValueReader.read(bytes) {
            self = value
            return
        }
        self = try JSONDecoder().decode(EntryValue.self, from: Data(bytes))
    }

    /// Hand-written because every append passes here.
    static func encode(
        author: String, contents: String, requestID: String?, secretKey: [UInt8], tags: [String], time: Int64
    ) -> [UInt8] {
        complete(
            encodeHead(author: author, contents: contents, requestID: requestID, secretKey: secretKey, tags: tags),
            time: time)
    }

    /// Everything before the time, which is the last member and known last.
    static func encodeHead(
        author: String, contents: String, requestID: String?, secretKey: [UInt8], tags: [String]
    ) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(contents.utf8.count + author.utf8.count + (requestID?.utf8.count ?? 0) + 160)
        out.append(contentsOf: "{\"author\":".utf8)
        appendJSONString(author, to: &out)
        out.append(contentsOf: ",\"contents\":".utf8)
        appendJSONString(contents, to: &out)
        if let requestID {
            out.append(contentsOf: ",\"requestId\":".utf8)
            appendJSONString(requestID, to: &out)
        }
        out.append(contentsOf: ",\"secretKey\":\"".utf8)
        Base64.append(secretKey, to: &out)
        out.append(UInt8(ascii: "\""))
        if !tags.isEmpty {
            out.append(contentsOf: ",\"tags\":[".utf8)
            for (index, tag) in tags.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                appendJSONString(tag, to: &out)
            }
            out.append(UInt8(ascii: "]"))
        }
        out.append(contentsOf: ",\"time\":".utf8)
        return out
    }

    /// The value that begins with `head`.
    static func complete(_ head: consuming [UInt8], time: Int64) -> [UInt8] {
        head.append(contentsOf: String(time).utf8)
        head.append(UInt8(ascii: "}"))
        return head
    }

    /// RFC 8259 section 7: quotes, backslashes and control characters escaped, everything else as UTF-8.
    static func appendJSONString(_ text: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for i in 0..<utf8.count {
                let c = utf8[i]
                guard c < 0x20 || c == UInt8(ascii: "\"") || c == UInt8(ascii: "\\") else { continue }
                out.append(contentsOf: utf8[start..<i])
                start = i + 1
                switch c {
                case UInt8(ascii: "\""): out.append(contentsOf: "\\\"".utf8)
                case UInt8(ascii: "\\"): out.append(contentsOf: "\\\\".utf8)
                case 0x0A: out.append(contentsOf: "\\n".utf8)
                case 0x0D: out.append(contentsOf: "\\r".utf8)
                case 0x09: out.append(contentsOf: "\\t".utf8)
                default: out.append(contentsOf: "\\u00\(Hex.encode([c]))".utf8)
                }
            }
            out.append(contentsOf: utf8[start...])
        }
        out.append(UInt8(ascii: "\""))
    }
}
