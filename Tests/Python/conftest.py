"""Fixtures over the released program. Every directory a test leaves behind is judged twice at the end of that test:
by the `ccf` package and by `indelible ledger verify`; their counts must agree.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support.certificates import make_identity  # noqa: E402
from support.issuer import Issuer  # noqa: E402
from support.judge import judge  # noqa: E402
from support.node import Node, binary  # noqa: E402
from support.rest import Rest  # noqa: E402


def pytest_sessionstart(session):
    if not binary().exists():
        pytest.exit(f"{binary()} is missing: scripts/build-release program, or set INDELIBLE_BIN", 2)


def pytest_collection_modifyitems(config, items):
    if config.getoption("-m"):
        return
    for item in items:
        if "heavy" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="heavy: run with -m heavy"))


@pytest.fixture(scope="session")
def identities(tmp_path_factory):
    """One certificate per role, made once."""
    directory = tmp_path_factory.mktemp("identities")

    class Identities:
        admin = make_identity(directory, "admin")
        contributor = make_identity(directory, "contributor")
        reader = make_identity(directory, "reader", "p256")
        stranger = make_identity(directory, "stranger")
        by_user: dict = {}  # those that a test made

        @staticmethod
        def make(name=None, kind="p384", days=30):
            made = make_identity(directory, name or uuid.uuid4().hex, kind, days)
            Identities.by_user[made.user_id] = made
            return made

    return Identities


@pytest.fixture(scope="session")
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture
def data_directory():
    """A short path: some file systems and sockets limit path lengths, and chunk names must not occur in it."""
    made = Path(tempfile.mkdtemp(prefix="indelible-test."))
    yield made / "data"
    if not os.environ.get("INDELIBLE_KEEP"):
        shutil.rmtree(made, ignore_errors=True)


def populate(node: Node, identities):
    rest = Rest(node, identities.admin)
    assert rest.set_user(identities.contributor.user_id, "Contributor").status == 200
    assert rest.set_user(identities.reader.user_id, "Reader").status == 200
    rest.close()


def _shared(ledger_type, identities, issuer):
    made = Path(tempfile.mkdtemp(prefix="indelible-test."))
    node = Node(made / "data", ledger_type=ledger_type, administrator=identities.admin, issuers=[issuer])
    node.start()
    populate(node, identities)
    yield node
    if not node.is_running:
        node.start()
    judge(node)
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def public_node(identities, issuer):
    yield from _shared("public", identities, issuer)


@pytest.fixture(scope="module")
def private_node(identities, issuer):
    yield from _shared("private", identities, issuer)


@pytest.fixture(scope="module", params=["public", "private"])
def node(request):
    """The module's shared node, once as a public and once as a private ledger."""
    return request.getfixturevalue(f"{request.param}_node")


@pytest.fixture
def new_node(data_directory, identities, issuer):
    """Makes nodes of the test's own; each directory is judged when the test is over unless the test damaged it."""
    nodes = []

    def make(ledger_type="private", start=True, users=True, **options):
        options.setdefault("administrator", identities.admin)
        options.setdefault("issuers", [issuer])
        directory = options.pop("directory", data_directory.with_name(f"data{len(nodes)}"))
        node = Node(directory, ledger_type=ledger_type, **options)
        nodes.append(node)
        if start:
            node.start()
            if users:
                populate(node, identities)
        return node

    yield make
    try:
        for node in nodes:
            if node.directory.exists() and not node.tampered:
                judge(node)
    finally:
        for node in nodes:
            node.kill()


@pytest.fixture
def admin(node, identities):
    rest = Rest(node, identities.admin)
    yield rest
    rest.close()


@pytest.fixture
def service_pem(node):
    return node.service_certificate.read_text()


@pytest.fixture
def small_disk():
    """A 6 MiB file system of its own."""
    where = Path(tempfile.mkdtemp(prefix="indelible-disk."))
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(where)], capture_output=True)
    if made.returncode != 0:
        made = subprocess.run(["sudo", "-n", "mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(where)],
                              capture_output=True)
    if made.returncode != 0:
        where.rmdir()
        yield None
        return
    yield where
    subprocess.run(["umount", str(where)] if os.getuid() == 0 else ["sudo", "-n", "umount", str(where)])
    where.rmdir()
