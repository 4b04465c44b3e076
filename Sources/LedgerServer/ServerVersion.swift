/// The version this software reports.
public enum ServerVersion {
    /// Names the product, so that nobody takes it for the framework whose interface it speaks.
    public static let text = "indelible-0.1.0"
}
