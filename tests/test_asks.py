"""What `docs/asks.md` says is tested is."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
ASKS = (TESTS.parent / "docs" / "asks.md").read_text("utf-8")


def test_every_ask_is_answered() -> None:
    rows = [line for line in ASKS.splitlines() if line.startswith("| ")]
    asks = [row.split(" | ") for row in rows if not row.startswith(("| ask |", "| ---"))]
    assert len(asks) > 40
    assert all(len(cells) == 3 and len(cells[2]) > len(" |") for cells in asks)


def test_the_tests_that_answer_asks_are_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", ASKS))
    assert len(named) > 70
    defined: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        defined.update(re.findall(r"^def (test_\w+)\(", path.read_text("utf-8"), re.MULTILINE))
    assert named <= defined, sorted(named - defined)
