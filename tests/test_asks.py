"""What `docs/asks.md` says is tested is."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ASKS = (TESTS.parent / "docs" / "asks.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", ASKS)))


def test_every_ask_is_answered() -> None:
    rows = [line for line in ASKS.splitlines() if line.startswith("| ")]
    asks = [row.split(" | ") for row in rows if not row.startswith(("| ask |", "| ---"))]
    assert len(asks) > 40
    assert all(len(cells) == 3 and len(cells[2]) > len(" |") for cells in asks)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_answers_an_ask_is_there(file: str, name: str) -> None:
    if not (TESTS / file).exists():
        pytest.skip(f"tests/{file} is not here")
    assert f"def {name}(" in (TESTS / file).read_text("utf-8")
