#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How many files and connections the program may have open at once, and how many of them connections may take.
enum OpenFileLimit {
    /// More than `ServerLimits` ever lets in, and little enough for programs that count through all descriptors.
    private static let wanted: rlim_t = 65_536
    /// For chunks (64 are kept open), the index, snapshots and calls to token issuers.
    private static let reserve = 256

    /// Raises the soft limit towards the hard one. Returns the limit in force.
    static func raise() -> Int {
        var limits = rlimit()
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limits) == 0 else { return 1_024 }
        let before = limits.rlim_cur
        limits.rlim_cur = max(before, min(limits.rlim_max, wanted))
        let inForce = setrlimit(resource, &limits) == 0 ? limits.rlim_cur : before
        return Int(min(inForce, wanted))
    }

    /// How many connections leave enough for the ledger: whoever only connects must not keep it from its files.
    static func connections(of openFiles: Int, atMost: Int) -> Int {
        max(1, min(atMost, openFiles - min(reserve, openFiles / 2)))
    }
}
