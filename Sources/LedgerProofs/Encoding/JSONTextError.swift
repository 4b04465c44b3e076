/// Why a text is not acceptable JSON. The modules that read JSON turn it into errors of their own.
package struct JSONTextError: Error, Hashable, Sendable {
    /// Which kind of rule was broken.
    package enum Rule: Hashable, Sendable {
        case syntax
        /// A name occurs twice in one object.
        case duplicate
        /// Something follows the value.
        case trailing
        /// Larger, deeper or of more values than the caller allows, or a number out of range.
        case limit
    }

    package let rule: Rule
    /// One sentence about the rule; it never holds a part of the text.
    package let reason: String
    /// Where in the text, in bytes.
    package let offset: Int

    @inline(never)
    package init(_ reason: String, at offset: Int, _ rule: Rule = .syntax) {
        self.rule = rule
        self.reason = reason
        self.offset = offset
    }
}
