"""Starts, stops and kills the released program."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
READY = re.compile(r"^ready: (https://\S+) certificate=(.+)$")


def binary() -> Path:
    return Path(os.environ.get("INDELIBLE_BIN", ROOT / ".build/release/indelible"))


def run_cli(*arguments, timeout: float = 120, stdin: str | bytes | None = None, environment=None, cwd=None):
    """Runs one command to its end; text in, text out."""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run(
        [str(binary()), *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout,
        env={**clean_environment(), **(environment or {})}, cwd=cwd,
    )
    done.stdout = done.stdout.decode(errors="replace")
    done.stderr = done.stderr.decode(errors="replace")
    return done


def clean_environment() -> dict:
    return {name: value for name, value in os.environ.items() if not name.startswith("INDELIBLE_")}


def free_port() -> int:
    """A port that neither another worker of pytest-xdist nor an outgoing connection takes meanwhile: below the ports
    that the system gives out, and for each of up to ten workers other ones."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 10
    for _ in range(1000):
        port = random.randrange(10_000, 32_000, 10) + worker
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


class NodeDidNotStart(Exception):
    def __init__(self, code, output):
        super().__init__(f"exit code {code}: {output[-2000:]}")
        self.code, self.output = code, output


class Node:
    """One `indelible serve` process and its data directory. It may be started many times."""

    def __init__(self, directory: Path, *, ledger_type: str | None = None, administrator=None, issuers=(),
                 options=(), environment=None, preexec=None):
        self.directory = Path(directory)
        self.ledger_type = ledger_type
        self.administrator = administrator
        self.issuers = list(issuers)
        self.options = list(options)
        self.environment = dict(environment or {})
        self.preexec = preexec
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.output: list[str] = []
        self.reader: threading.Thread | None = None
        self.ready_seconds = 0.0
        self.tampered = False  # a test that damages the directory on purpose says so here

    # Paths and addresses

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ledger_directory(self) -> Path:
        return self.directory / "ledger"

    @property
    def service_certificate(self) -> Path:
        return self.directory / "service_cert.pem"

    # Life

    def command(self) -> list[str]:
        command = [str(binary()), "serve", "--data", str(self.directory), "--listen", f"127.0.0.1:{self.port}"]
        if self.ledger_type:
            command += ["--ledger-type", self.ledger_type]
        if self.administrator:
            command += ["--admin-certificate", str(self.administrator.certificate_file)]
        for issuer in self.issuers:
            command += ["--oidc-issuer", issuer.url]
        return command + [str(option) for option in self.options]

    def start(self, timeout: float = 60) -> "Node":
        assert self.process is None or self.process.poll() is not None, "already running"
        self.output = []
        began = time.monotonic()
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env={**clean_environment(), **self.environment}, preexec_fn=self.preexec,
        )
        ready = threading.Event()
        ended = threading.Event()
        process = self.process

        def drain():
            for line in process.stdout:
                self.output.append(line)
                if READY.match(line.rstrip("\n")):
                    ready.set()
            ended.set()
            ready.set()

        self.reader = threading.Thread(target=drain, daemon=True)
        self.reader.start()
        if not ready.wait(timeout):
            self.kill()
            raise NodeDidNotStart(None, f"no ready line in {timeout} s\n" + "".join(self.output))
        if ended.is_set() or process.poll() is not None:
            process.wait(10)
            ended.wait(5)
            raise NodeDidNotStart(process.returncode, "".join(self.output))
        self.ready_seconds = time.monotonic() - began
        return self

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout: float = 30) -> int:
        """SIGTERM and wait; the exit code."""
        if self.is_running:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"SIGTERM did not end the node in {timeout} s\n" + self.log())
        return self.process.returncode if self.process else 0

    def kill(self):
        if self.is_running:
            self.process.kill()
            self.process.wait(10)

    def restart(self) -> "Node":
        self.stop()
        return self.start()

    def log(self) -> str:
        """What it has said: all of it once it has ended, before that what has been read."""
        if self.reader and not self.is_running:
            self.reader.join(10)
        return "".join(self.output)

    def says(self, text: str, seconds: float = 30) -> bool:
        """Whether it says so in time. The line may be on its way when the answer to a request is here already."""
        end = time.monotonic() + seconds
        while text not in self.log():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    # Offline checks

    def verify(self, *arguments, timeout: float = 300):
        """`indelible ledger verify --json` on the ledger directory: (exit code, answer, completed process)."""
        done = run_cli("ledger", "verify", self.ledger_directory, "--json", *arguments, timeout=timeout)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            answer = {}
        return done.returncode, answer, done


def retry_until(check, seconds: float = 30, pause: float = 0.05):
    """Calls `check` until it answers something true; that answer."""
    limit = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds} s: {check}")
        time.sleep(pause)
