# Shared by the scripts here. Not a program.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' quiet=$'\e[2m' plain=$'\e[0m'
else
    bold='' green='' red='' quiet='' plain=''
fi

say() { printf '%s\n' "$bold==> $*$plain"; }
good() { printf '%s\n' "    ${green}ok$plain  $*"; }
note() { printf '%s\n' "    $quiet$*$plain"; }
fail() { printf '%s\n' "${red}error:$plain $*" >&2; exit 1; }

# SwiftPM compiles C through scripts/clang from here on.
compile_c() {
    swift_resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
    export SWIFT_CLANG="${swift_resources%/lib/swift}/bin/clang" CC="$root/scripts/clang"
    export CCACHE_DIR="$root/.build/ccache" CCACHE_NOHASHDIR=1
    [ -x "$SWIFT_CLANG" ] || fail "$SWIFT_CLANG: not found; it is part of the Swift toolchain"
}
