import HTTPTypes

extension HTTPFields {
    /// The same as the subscript, without its lazy sequences when the field comes once, as it nearly always does.
    func value(_ name: HTTPField.Name) -> String? {
        var found: String?
        for field in self where field.name == name {
            guard found == nil else { return self[name] }
            found = field.value
        }
        return found
    }
}
