"""The page Documentation/AttackCatalogue.md has every id, and every test that it names is there."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_nothing
HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "Documentation/AttackCatalogue.md"
IDS = [f"{letter}{number:02d}" for letter, last in (("R", 27), ("H", 30), ("S", 30), ("E", 20), ("K", 10))
       for number in range(1, last + 1)]


def test_every_entry_is_on_the_page_and_has_its_test():
    tests = set(re.findall(r"^def (test_\w+)", "\n".join(file.read_text() for file in HERE.glob("test_*.py")), re.M))
    rows = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"\b[RHSEK]\d\d\b", cells[0]) if len(cells) == 4 else ():
            rows[name] = cells
    assert list(rows) == IDS
    for name, cells in rows.items():
        named = re.findall(r"`(test_\w+)(…?)`", cells[3])
        assert named or cells[1] == "—" and cells[3] or name in ("E19", "E20"), f"{name}: neither a test nor a reason"
        for test, more in named:
            assert any(other.startswith(test) if more else other == test for other in tests), f"{name}: no test {test}"
    for test in tests:
        found = re.match(r"test_([RHSEK]\d\d)_", test)
        assert not found or rows[found[1]][1] != "—", f"{test}: the page says that it does not apply"
