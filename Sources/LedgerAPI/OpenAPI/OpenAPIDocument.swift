/// stub
public enum OpenAPIDocument {
    public static let json: [UInt8] = Array("{}".utf8)
}
