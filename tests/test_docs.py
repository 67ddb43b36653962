"""The pages say what is so: links lead somewhere, examples run, numbers are those of the zoo."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from npfill.pictures.formats import FORMATS
from npfill.pictures.formats.metadata import PARTS
from npfill.zoo import entries

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "train/README.md"]
    if path.name != "CHANGELOG.md"
)
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    here = [link for link in links if not link.startswith(("http:", "https:"))]
    assert [link for link in here if not (page.parent / link).exists()] == []


def test_the_tests_that_robustness_names_are_there() -> None:
    named = re.findall(
        r"`(tests/\S+\.py)::(\w+)`", (ROOT / "docs/robustness.md").read_text("utf-8")
    )
    assert len(named) > 40
    assert [
        name for file, name in named if f"def {name}(" not in (ROOT / file).read_text("utf-8")
    ] == []


def test_the_readme_is_short_and_begins_with_a_picture_and_a_command() -> None:
    lines = README.splitlines()
    assert len(lines) <= 130
    first = "\n".join(lines[:40])
    assert lines[4].startswith("![A cat under cream-coloured scratches](examples/scratched.jpg)")
    assert "](docs/scratched_mean.png)" in lines[4]
    assert "npfill complete photo.jpg --mask photo_mask.png" in first
    assert "npfill.complete(" in first


def test_the_lock_names_what_development_installs() -> None:
    locked = {
        line.partition("==")[0]
        for line in (ROOT / "constraints-dev.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    tests = [each for each in stated["dependency-groups"]["tests"] if isinstance(each, str)]
    wanted = {re.split(r"[<>=]", each)[0] for each in stated["project"]["dependencies"] + tests}
    assert wanted - locked <= {"selenium"}  # which the tests of the page do without
    torch = (ROOT / "constraints.txt").read_text("utf-8").splitlines()[-1]
    assert torch in (ROOT / "constraints-dev.txt").read_text("utf-8")


@pytest.mark.slow
def test_the_examples_of_the_python_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/python.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    assert (tmp_path / "restored" / "cat_mean.png").exists()


def table(text: str) -> list[list[str]]:
    """The cells of the first table, by rows, without the rule below its head."""
    rows = re.search(r"^\|.*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    assert rows is not None
    cells = [row.strip("| ").split(" | ") for row in rows[0].splitlines()]
    return [cells[0], *cells[2:]]


def test_the_readmes_scores_are_those_of_the_zoo_and_of_the_report() -> None:
    head, *rows = table(README[README.index("<!-- scores -->") :])
    zoo = entries()["convcnp-photo"]
    of_zoo = {name: f"{psnr:.2f}" for name, psnr in zip(zoo.contexts, zoo.psnr, strict=True)}
    report = (ROOT / "docs/photographs/report.md").read_text("utf-8")
    psnr = table(report[report.index("## PSNR") :])
    asked = [re.sub(r"(\d+ %).* kept", r"keep \1", cell).replace(",", "") for cell in head]
    for name, *values in ([cell.strip("` ") for cell in row] for row in rows):
        column = psnr[0].index(name)
        scores = {row[0]: row[column] for row in psnr[1:]}
        assert values == [scores[missing] for missing in asked], name
        if name == "convcnp-photo":
            assert values == [of_zoo[missing] for missing in asked]


def test_the_page_of_inputs_says_what_the_table_of_formats_does() -> None:
    _, *rows = table((ROOT / "docs/inputs.md").read_text("utf-8"))
    said = [
        [
            each.label,
            ", ".join(each.suffixes),
            ", ".join(name for part, name in PARTS.items() if part in each.keeps) or "-",
            "all types" if each.floats else "exact" if each.exact else "some change",
        ]
        for each in FORMATS.values()
    ]
    assert [row[:4] for row in rows] == said
    for row, each in zip(rows, FORMATS.values(), strict=True):
        assert ("data" in row[4]) == each.floats
