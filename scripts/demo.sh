# Shared by the quickstarts. Not a program. Wants $data and $port set; gives $indelible, $python, $ledger, $url, $server.

# Refuses what is no port before anything is stopped or deleted.
check_port() {
    { [[ $1 =~ ^[0-9]{1,5}$ ]] && [ "$((10#$1))" -le 65535 ]; } || fail "--port $1: not a port; 0 to 65535"
}

# A word as the shell takes it: paths may hold spaces.
quoted() {
    local quote="'\\''"
    if [[ $1 =~ ^[A-Za-z0-9_./:@%+=,-]+$ ]]; then printf '%s' "$1"; else printf "'%s'" "${1//"'"/$quote}"; fi
}

# Sets up and builds, or takes the programs that INDELIBLE_BIN and INDELIBLE_EXTENSION name.
prepare_programs() {
    # Settings of the user's shell are for other ledgers: an earlier quickstart's, for one, whose commands export some.
    local name
    for name in "${!INDELIBLE_@}"; do
        case "$name" in INDELIBLE_BIN | INDELIBLE_EXTENSION) ;; *) unset "$name" ;; esac
    done
    say "Setting up"
    scripts/setup
    if [ -n "${INDELIBLE_BIN:-}" ]; then
        indelible=$INDELIBLE_BIN
    else
        say "Building (the first time takes some minutes)"
        indelible=$(scripts/build-release program 2> >(tail -n 3 >&2))
    fi
    [ -x "$indelible" ] || fail "$indelible: was not built"
    python="$venv/bin/python"
}

# An earlier quickstart is stopped and its data is replaced: this is a demonstration.
clear_data() {
    if [ -f "$data/quickstart.pid" ]; then
        local old program
        for old in $(cat "$data/quickstart.pid"); do
            # A program that was built anew since then is shown as deleted.
            program=$(readlink "/proc/$old/exe" 2>/dev/null || true)
            if [ -n "$program" ] && [ "$(basename "${program% (deleted)}")" = "$(basename "$indelible")" ]; then
                kill "$old" && for _ in $(seq 100); do [ -e "/proc/$old" ] || break; sleep 0.1; done
            fi
        done
    fi
    if [ -e "$data" ] && [ ! -f "$data/quickstart.pid" ] && ! rmdir "$data" 2>/dev/null; then
        fail "$data: exists and was not made by this script; name another with --data"
    fi
    # The file by which the next run knows this directory is there from the beginning, whatever interrupts this one.
    mkdir -p "$data"
    echo "starting" > "$data/quickstart.pid"
    find "$data" -mindepth 1 -maxdepth 1 ! -name quickstart.pid -exec rm -rf {} +
}

# Starts a ledger that goes on running, and points every client command at it.
start_ledger() {
    port=$("$python" - "$port" <<'PY'
import socket, sys
first = int(sys.argv[1])
for port in [*range(first, min(first + 50, 65536)), 0]:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(s.getsockname()[1])
        break
PY
)
    url="https://127.0.0.1:$port"
    ledger="$data/data"
    say "Starting a ledger at $url"
    setsid nohup "$indelible" serve --data "$ledger" --listen "127.0.0.1:$port" --ledger-type public \
        > "$data/ready.txt" 2> "$data/log.txt" < /dev/null &
    server=$!
    echo "$server" > "$data/quickstart.pid"
    for _ in $(seq 150); do
        grep -q '^ready: ' "$data/ready.txt" && break
        kill -0 "$server" 2>/dev/null || { cat "$data/log.txt" >&2; fail "the ledger did not start"; }
        sleep 0.1
    done
    grep -q '^ready: ' "$data/ready.txt" || { cat "$data/log.txt" >&2; fail "the ledger was not ready in 15 seconds"; }
    export INDELIBLE_URL="$url" INDELIBLE_DATA="$ledger"
}
