# Shared by the quickstarts. Not a program. Wants $data and $port set; gives $indelible, $python, $ledger, $url, $server.

# Sets up and builds, or takes the programs that INDELIBLE_BIN and INDELIBLE_EXTENSION name.
prepare_programs() {
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
    if [ -e "$data" ]; then
        [ -f "$data/quickstart.pid" ] || fail "$data: exists and was not made by this script; name another with --data"
        rm -rf "$data"
    fi
    mkdir -p "$data"
}

# Starts a ledger that goes on running, and points every client command at it.
start_ledger() {
    port=$("$python" - "$port" <<'PY'
import socket, sys
for port in [*range(int(sys.argv[1]), int(sys.argv[1]) + 50), 0]:
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
    echo "starting" > "$data/quickstart.pid"
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
