"""Fixtures of the SQL ledger's tests. `bank` is made once; every attack works on a copy."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit import bank as banks  # noqa: E402
from kit import ledger  # noqa: E402
from kit.victim import Victim  # noqa: E402


def pytest_collection_modifyitems(config, items):
    if not ledger.extension().exists():
        missing = pytest.mark.skip(reason=f"{ledger.extension()} is missing: scripts/build-release extension")
        for item in items:
            if Path(__file__).parent in Path(item.fspath).parents and "needs_nothing" not in item.keywords:
                item.add_marker(missing)


def take_state(bank):
    report = ledger.verify(bank.path, bank.digests, options=["--state", bank.state])
    assert report.exit_code == 0, report


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory):
    """Where the program remembers what it verified."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def own_state(state_home, monkeypatch, tmp_path_factory):
    """Each test goes on with a copy of a ledger as if there were no other one, so it remembers by itself."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def bank(tmp_path_factory):
    made = banks.make(tmp_path_factory.mktemp("bank"), verify_state=take_state)
    report = ledger.agree(made.path, made.digests)
    assert report.exit_code == 0, report
    return made


@pytest.fixture(scope="session")
def big_bank(tmp_path_factory):
    """One row among 20,000."""
    return banks.make(tmp_path_factory.mktemp("big"), rows=20_000, verify_state=take_state)


@pytest.fixture
def work():
    made = Path(tempfile.mkdtemp(prefix="indelible-sql."))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(params=["digests-whole", "digests-table", "digests-since", "no-digests-whole"])
def victim(request, bank, work):
    """A copy of the bank to attack, and the way it will be verified."""
    made = Victim(bank, work, *request.param.rsplit("-", 1))
    yield made
    made.finish()


@pytest.fixture(params=["digests", "no-digests"])
def chain_victim(request, bank, work):
    """For attacks on what belongs to no table: always the whole database."""
    made = Victim(bank, work, request.param, "whole")
    yield made
    made.finish()


@pytest.fixture
def whole_victim(bank, work):
    made = Victim(bank, work, "digests", "whole")
    yield made
    made.finish()
