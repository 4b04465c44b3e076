import ArgumentParser

/// `--json`, the same for every command.
struct JSONOption: ParsableArguments {
    @Flag(help: "Write JSON: one object, or one object per line for lists.")
    var json = false
}
