"""The quickstarts, whole, and the set-up; and the README's transcript, so that it cannot drift.

With QUICKSTART_README=write the transcript in the README is replaced by that of this run. Otherwise both are compared
after everything that differs between machines and runs (numbers, versions, hashes, paths) was made equal.
"""

import contextlib
import json
import os
import re
import shutil
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


@contextlib.contextmanager
def quickstart(script):
    folder = Path(tempfile.mkdtemp(prefix="indelible quickstart."))  # a space, as in some people's paths
    data = folder / "data"
    environment = {**clean_environment(), "INDELIBLE_BIN": str(binary()), "INDELIBLE_EXTENSION": extension()}
    # Left in the shell by other work.
    environment |= {"INDELIBLE_CERTIFICATE": "/nowhere", "INDELIBLE_STORES": "file:///nowhere", "INDELIBLE_NAME": "x"}
    started = time.monotonic()
    done = subprocess.run(
        [ROOT / "scripts" / script, "--data", data, "--port", str(free_port())], capture_output=True, text=True,
        timeout=280, env=environment)
    done.data, done.seconds = data, time.monotonic() - started
    try:
        yield done
    finally:
        pids = data / "quickstart.pid"
        for process in pids.read_text().split() if pids.exists() else []:
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(process), signal.SIGTERM)
        if not os.environ.get("INDELIBLE_KEEP"):
            subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture(scope="module")
def run():
    with quickstart("quickstart") as done:
        yield done


def next_commands(run):
    """The commands under "Next", each with its exit code and what it said, run in one shell as a user would."""
    lines = run.stdout.split("Next:\n")[1].strip().split("\n")
    commands = [line.strip() for line in lines if " entry watch" not in line]  # that one ends never
    script = "".join(f"{command} < /dev/null 2>&1\nprintf '\\n@%s@' $?\n" for command in commands)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=clean_environment(), timeout=120)
    said = re.findall(r"(.*?)\n@(\d+)@", done.stdout, re.DOTALL)
    assert len(said) == len(commands), done.stdout + done.stderr
    return [(command, int(code), text) for command, (text, code) in zip(commands, said)]


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


def test_the_next_commands_can_be_copied(run):
    assert run.returncode == 0
    said = next_commands(run)
    for command, code, text in said:
        assert code == (1 if "tampered.db" in command else 0), f"{command}\n{text}"
    status = next(text for command, _, text in said if " sql status " in command)
    assert "never on this machine" not in status
    assert re.search(r"VERIFIED", next(text for command, _, text in said if " sql verify " in command))


def test_every_page_is_whole(run):
    assert "verified" in (run.data / "verified.html").read_text()
    text = (run.data / "tampered.html").read_text()
    assert "ROW_ALTERED" in text and "dpkg" in text and "<script" not in text


def test_the_ledger_alone():
    with quickstart("quickstart-ledger") as run:
        assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
        for command, code, text in next_commands(run):
            assert code == 0, f"{command}\n{text}"


def test_the_quickstarts_leave_each_other_alone():
    folders = [
        re.search(r"default: (\S+),", subprocess.run(
            [ROOT / "scripts" / script, "--help"], capture_output=True, text=True, check=True).stdout)[1]
        for script in ("quickstart", "quickstart-ledger")]
    assert len(set(folders)) == 2
    for script, folder in zip(("quickstart", "quickstart-ledger"), folders):
        assert f'data="$root/{folder.removeprefix("./")}"' in (ROOT / "scripts" / script).read_text()


@pytest.mark.parametrize("script", ["quickstart", "quickstart-ledger"])
@pytest.mark.parametrize("port", ["abc", "70000", "-1"])
def test_a_wrong_port_deletes_nothing(tmp_path, script, port):
    (tmp_path / "quickstart.pid").write_text("")
    done = subprocess.run(
        [ROOT / "scripts" / script, "--data", tmp_path, "--port", port], capture_output=True, text=True, timeout=60,
        env={**clean_environment(), "INDELIBLE_BIN": "/bin/false", "INDELIBLE_EXTENSION": "/bin/false"})
    assert done.returncode == 1 and done.stderr == f"error: --port {port}: not a port; 0 to 65535\n"
    assert (tmp_path / "quickstart.pid").exists()


def demo(data, command):
    script = f'. scripts/lib.sh; . scripts/demo.sh; data=$1 indelible=indelible; {command}'
    return subprocess.run(["bash", "-euc", script, "demo", data], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_an_interrupted_run_is_followed_by_another(tmp_path):
    data = tmp_path / "data"
    for _ in range(2):
        done = demo(data, 'clear_data; touch "$data/packages.db"; kill -KILL $$')
        assert done.returncode == -signal.SIGKILL and done.stderr == "", done.stderr
    assert demo(data, "clear_data").returncode == 0
    assert [path.name for path in data.iterdir()] == ["quickstart.pid"]


def test_what_others_made_stays(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    done = demo(tmp_path, "clear_data")
    assert done.returncode == 1 and "exists and was not made by this script" in done.stderr
    assert (tmp_path / "letter.txt").read_text() == "mine"


@pytest.mark.parametrize("damage", ["no pip", "no python", "empty"])
def test_set_up_recovers_from_an_interrupted_one(tmp_path, damage):
    root = tmp_path / "clone"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    (root / "scripts/requirements.txt").write_text("")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "swift").write_text("#!/bin/sh\n")
    (tools / "swift").chmod(0o755)
    (root / ".venv").mkdir()
    if damage != "empty":
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", root / ".venv"], check=True)
    if damage == "no python":
        for link in (root / ".venv/bin").glob("python*"):
            link.unlink()
            link.symlink_to(tmp_path / "gone")
    environment = {**clean_environment(), "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run([root / "scripts/setup"], capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run([root / ".venv/bin/python", "-m", "pip", "--version"], check=True, capture_output=True)
