"""The quickstart, whole; and the README's transcript of it, so that it cannot drift.

With QUICKSTART_README=write the transcript in the README is replaced by that of this run. Otherwise both are compared
after everything that differs between machines and runs (numbers, versions, hashes, paths) was made equal.
"""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from support.node import ROOT, binary, clean_environment, free_port

pytestmark = pytest.mark.timeout(300)

README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- quickstart: begin[^\n]*-->\n```\n)(.*?)(```\n<!-- quickstart: end -->)", re.DOTALL)
# What a user sees first, without the lines of set-up and build and the list of files at the end.
FIRST, LAST = "==> Starting a ledger", "==> Done"


def extension():
    named = os.environ.get("INDELIBLE_EXTENSION") or os.environ.get("INDELIBLE_SQLITE_EXTENSION")
    return named or subprocess.run(
        [ROOT / "scripts/build-release", "extension"], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def run():
    folder = Path(tempfile.mkdtemp(prefix="indelible-quickstart."))
    data = folder / "data"
    started = time.monotonic()
    done = subprocess.run(
        [ROOT / "scripts/quickstart", "--data", data, "--port", str(free_port())], capture_output=True, text=True,
        timeout=280, env={**clean_environment(), "INDELIBLE_BIN": str(binary()), "INDELIBLE_EXTENSION": extension()})
    done.data, done.seconds = data, time.monotonic() - started
    yield done
    for process in (data / "quickstart.pid").read_text().split():
        try:
            os.kill(int(process), signal.SIGTERM)
        except (ProcessLookupError, ValueError):
            pass
    if not os.environ.get("INDELIBLE_KEEP"):
        subprocess.run(["rm", "-rf", folder], check=True)


def transcript(run):
    lines = run.stdout.split("\n")
    first = next(number for number, line in enumerate(lines) if line.startswith(FIRST))
    last = next(number for number, line in enumerate(lines) if line.startswith(LAST))
    text = "\n".join(line.rstrip() for line in lines[first:last + 1]).replace(str(run.data), "quickstart-data") + "\n"
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8443", text)


def normal(text):
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\b[0-9a-f]{32,}\b", "HASH", text)
    text = re.sub(r"'\d[0-9A-Za-z.+:~-]*'", "'VERSION'", text)
    text = re.sub(r"version \S+ of", "version V of", text)
    text = re.sub(r"is now \S+", "is now V", text)
    text = re.sub(r"every table is a ledger table: .*", "every table is a ledger table: …", text)
    text = re.sub(r"\bby \w+", "by USER", text)
    return re.sub(r"\d+(\.\d+)*", "N", text)


def test_it_works_in_five_minutes(run):
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert run.seconds < 280


def test_the_transcript_in_the_readme_is_true(run):
    assert run.returncode == 0
    found = BLOCK.search(README.read_text())
    assert found, "the README has no place for the transcript"
    now = transcript(run)
    if os.environ.get("QUICKSTART_README") == "write":
        README.write_text(BLOCK.sub(lambda match: match[1] + now + match[3], README.read_text()))
        return
    assert normal(found[2]) == normal(now), "write it anew with QUICKSTART_README=write"


def test_everything_is_left_in_place(run):
    assert run.returncode == 0
    for name in ("packages.db", "tampered.db", "verified.html", "tampered.html", "bash.evidence.json", "evidence.html"):
        assert (run.data / name).stat().st_size > 0, name
    words = ["--data", str(run.data / "data")]
    store = re.search(r"INDELIBLE_STORES='([^']+)'", run.stdout)[1]

    def indelible(*arguments):
        return subprocess.run([str(binary()), *arguments], capture_output=True, text=True, env=clean_environment())

    status = json.loads(indelible("sql", "status", str(run.data / "packages.db"), "--json").stdout)
    assert {table["name"] for table in status["tables"]} == {"packages", "log", "machines"}
    good = indelible("sql", "verify", str(run.data / "packages.db"), "--store", store, *words, "--json")
    assert good.returncode == 0, good.stdout + good.stderr
    bad = indelible("sql", "verify", str(run.data / "tampered.db"), "--store", store, *words, "--json")
    finding, = json.loads(bad.stdout)["findings"]
    assert bad.returncode == 1 and finding["code"] == "ROW_ALTERED" and finding["columns"] == ["version"]
    assert finding["object"] == "packages" and finding["key"] == [{"column": "package", "value": "'dpkg'"}]


def test_every_page_is_whole(run):
    assert "verified" in (run.data / "verified.html").read_text()
    text = (run.data / "tampered.html").read_text()
    assert "ROW_ALTERED" in text and "dpkg" in text and "<script" not in text
