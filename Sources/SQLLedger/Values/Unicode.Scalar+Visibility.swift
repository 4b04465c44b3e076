extension Unicode.Scalar {
    /// Whether it can end a line or steer a terminal: control characters, line ends of any kind, and what turns the
    /// direction of writing. None is beyond U+FFFF.
    package var isUnsafe: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x2028, 0x2029, 0x200E, 0x200F, 0x202A...0x202E,
            0x2066...0x2069:
            true
        default: false
        }
    }

    /// Whether a reader sees it, and sees no other one: not so for what is unsafe, what does not show, and what shows as
    /// another space.
    package var isShown: Bool {
        if isASCII { return !isUnsafe }
        return switch properties.generalCategory {
        case .control, .format, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator: false
        default: !properties.isDefaultIgnorableCodePoint
        }
    }
}
