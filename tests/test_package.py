"""The package as a whole: what it costs to import, its version, its names and what it ships."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

import npfill
from npfill.zoo import entries

ROOT = Path(__file__).parents[1]
PRETRAINED = ROOT / "pretrained"

HEAVY = {"torch", "safetensors", "huggingface_hub"}
RUN_COMMAND = """
from npfill.cli import main
try:
    main({arguments})
except SystemExit as stop:
    assert not stop.code, stop.code
"""


def modules_after(code: str) -> set[str]:
    """The modules that a new interpreter has loaded once it has run `code`."""
    report = "\nimport sys\nprint(*sys.modules, sep='\\n', file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code + report], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.splitlines())
    assert "npfill" in loaded
    return loaded


def heavy_modules_after(code: str) -> set[str]:
    """The heavy ones among them."""
    return HEAVY & modules_after(code)


def weights() -> set[str]:
    return {path.stem for path in PRETRAINED.glob("*.safetensors")}


def test_nothing_is_imported_before_the_entry_point_owns_the_signals() -> None:
    loaded = modules_after("import npfill.__main__")
    assert {name for name in loaded if name.startswith("npfill")} == {"npfill", "npfill.__main__"}
    bare = modules_after("import signal, sys; sys.modules['npfill'] = sys")
    assert loaded - bare == {"npfill.__main__"}


def test_import_loads_no_torch() -> None:
    assert heavy_modules_after("import npfill") == set()


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["complete", "--help"]])
def test_help_loads_no_torch(arguments: list[str]) -> None:
    assert heavy_modules_after(RUN_COMMAND.format(arguments=arguments)) == set()


def test_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert npfill.__version__ == project["version"]


def test_no_more_packages_are_required_than_these() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {re.split(r"[<>=]", line)[0] for line in project["dependencies"]} == {
        "torch", "typer", "rich", "pillow", "safetensors", "huggingface-hub", "numpy", "jaxtyping",
    }  # fmt: skip


def test_the_lowest_versions_that_are_tested_are_those_that_are_stated() -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project, lines = whole["project"], (ROOT / "constraints-lowest.txt").read_text("utf-8")
    stated = _bounds([*project["dependencies"], *whole["dependency-groups"]["tests"]])
    extras = _bounds(one for extra in project["optional-dependencies"].values() for one in extra)
    tested = dict(line.split("==") for line in lines.splitlines() if not line.startswith("#"))
    assert tested.keys() == stated.keys() - {"torch"}
    for name, version in tested.items():
        assert f"{version}.".startswith(f"{stated[name]}."), name
        assert extras.get(name, stated[name]) == stated[name]


def _bounds(requirements: Iterable[str]) -> dict[str, str]:
    bounds = (line.partition(">=") for line in requirements if ">=" in line)
    return {name: least.partition(",")[0] for name, _, least in bounds}


def test_public_names() -> None:
    names = ["Completion", "Explorer", "__version__", "complete", "complete_many"]
    names += ["load", "mask", "train"]
    assert dir(npfill) == npfill.__all__ == names


@pytest.mark.parametrize("name", npfill.__all__)
def test_public_name_is_there(name: str) -> None:
    assert getattr(npfill, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'inpaint'"):
        npfill.inpaint  # noqa: B018 - looking it up is the test


def test_every_weight_has_a_recipe_of_its_name() -> None:
    assert weights() <= {path.stem for path in (ROOT / "train").glob("*.toml")}


def test_every_weight_has_a_card_of_its_name() -> None:
    assert weights() <= {path.stem for path in PRETRAINED.glob("*.md")}


def test_every_weight_has_a_row_and_every_row_a_file() -> None:
    assert set(entries()) == weights()
    assert all(row.file == f"{name}.safetensors" for name, row in entries().items())
